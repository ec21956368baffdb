"""The search for the highest rate that holds: up until one breaks, then between, then once more."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from capacity.load import Step
from capacity.objective import Objective

GROWTH = 1.5
PRECISION = (
    1.1  # the search ends when the rate that broke is at most so many times the one that held
)
BACK_OFFS = (1.0, 0.9, 0.8, 0.65, 0.5)  # of the rate that held once, until one holds again
CONFIRMATION_LENGTH = 2.0  # of a step's
GENERATOR_TRIES = (
    3  # of a rate at which the generator got no processor in time: that says nothing of the server
)


@dataclass(frozen=True, slots=True)
class Found:
    """All steps in their order; the one that held and was confirmed; the lowest above it that broke. None where there is none."""

    steps: list[Step]
    held: Step | None
    broke: Step | None


def search(
    measure: Callable[[float, float], Step], objective: Objective, start_rps: float, most_rps: float
) -> Found:
    """Return the highest rate up to ``most_rps`` that holds the objective, within PRECISION.

    ``measure`` takes a rate and how many times the usual time to keep it.
    """
    steps, verdicts = list[Step](), list[Step]()

    def holds(rps: float, length: float = 1.0) -> bool:
        for _ in range(GENERATOR_TRIES):
            steps.append(measure(rps, length))
            if objective.broken_by(steps[-1]) != "generator":
                break
        verdicts.append(steps[-1])
        return objective.broken_by(steps[-1]) is None

    held, broke = climb(holds, min(start_rps, most_rps), GROWTH, most_rps)
    held = between(holds, held, broke, PRECISION)
    confirmed = steps[-1] if held and _confirmed(holds, held) else None
    broken = [one for one in verdicts if objective.broken_by(one)]
    return Found(steps, confirmed, min(broken, key=lambda one: one.asked_rps, default=None))


def climb(
    holds: Callable[[float], bool], rps: float, growth: float, most_rps: float
) -> tuple[float, float | None]:
    """Return the last rate that held, 0.0 for none, and the first that broke, None if none did up to the highest."""
    held = 0.0
    while held < most_rps:
        if not holds(rps):
            return held, rps
        held, rps = rps, min(rps * growth, most_rps)
    return held, None


def between(
    holds: Callable[[float], bool], held: float, broke: float | None, precision: float
) -> float:
    """Return the highest rate that held, after halving the way to the one that broke until that is within the precision."""
    while held and broke and broke > precision * held:
        middle = math.sqrt(held * broke)
        held, broke = (middle, broke) if holds(middle) else (held, middle)
    return held


def _confirmed(holds: Callable[[float, float], bool], rps: float) -> bool:
    """Tell whether the rate holds once more, or a lower one does."""
    return any(holds(rps * share, CONFIRMATION_LENGTH) for share in BACK_OFFS)
