"""The search for the highest rate that meets the objective: raise, bisect, confirm."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from capacity.load import StepResult
from capacity.objective import Objective, Violation

GROWTH = 1.5
PRECISION = 1.1  # stop when failing rate / passing rate is at most this
CONFIRMATION_FACTORS = (1.0, 0.9, 0.8, 0.65, 0.5)  # of the passing rate, until one passes again
CONFIRMATION_DURATION_FACTOR = 2.0  # of the duration of an ordinary step
GENERATOR_ATTEMPTS = 3  # a step whose generator sent late says nothing about the server


@dataclass(frozen=True, slots=True)
class SearchResult:
    """All steps in order, the confirmed one, and the failing one with the lowest rate."""

    steps: list[StepResult]
    highest_passing: StepResult | None
    lowest_failing: StepResult | None


def search_capacity(
    measure: Callable[[float, float], StepResult],
    objective: Objective,
    start_rps: float,
    max_rps: float,
) -> SearchResult:
    """Find the highest rate up to ``max_rps`` that meets the objective, within PRECISION.

    ``measure`` takes an offered rate and a factor for the duration of the step.
    """
    steps: list[StepResult] = []
    failing_steps: list[StepResult] = []

    def passes(rps: float, duration_factor: float = 1.0) -> bool:
        violation = None
        for _ in range(GENERATOR_ATTEMPTS):
            steps.append(measure(rps, duration_factor))
            violation = objective.find_violation(steps[-1])
            if violation is not Violation.GENERATOR:
                break
        if violation:
            failing_steps.append(steps[-1])
        return violation is None

    passing, failing = raise_until_failure(passes, min(start_rps, max_rps), GROWTH, max_rps)
    passing = bisect_rate(passes, passing, failing, PRECISION)
    confirmed = passing > 0 and _confirm(passes, passing)
    return SearchResult(
        steps,
        highest_passing=steps[-1] if confirmed else None,
        lowest_failing=min(failing_steps, key=lambda step: step.offered_rps, default=None),
    )


def raise_until_failure(
    passes: Callable[[float], bool], rps: float, growth: float, max_rps: float
) -> tuple[float, float | None]:
    """Raise the rate until it fails; return the last passing and the first failing rate.

    The passing rate is 0.0 if none passed, the failing one None if none failed up to ``max_rps``.
    """
    passing = 0.0
    while passing < max_rps:
        if not passes(rps):
            return passing, rps
        passing, rps = rps, min(rps * growth, max_rps)
    return passing, None


def bisect_rate(
    passes: Callable[[float], bool], passing: float, failing: float | None, precision: float
) -> float:
    """Narrow the range between a passing and a failing rate; return the highest passing rate."""
    while passing and failing and failing > precision * passing:
        middle = math.sqrt(passing * failing)
        if passes(middle):
            passing = middle
        else:
            failing = middle
    return passing


def _confirm(passes: Callable[[float, float], bool], rps: float) -> bool:
    """Repeat the rate, then lower ones, in longer steps; return whether one passes."""
    return any(
        passes(rps * factor, CONFIRMATION_DURATION_FACTOR) for factor in CONFIRMATION_FACTORS
    )
