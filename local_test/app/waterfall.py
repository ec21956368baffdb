"""The waterfall: how the contributions lead from the average prediction to this one, as bars in per cent of the width."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from local_test.app.record_form import Field
from local_test.app.response import Explanation

MOST_BARS = 10
DIGITS = 4
MOST_DECIMALS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A contribution from ``left`` to ``left + width``, and the place where the next one begins."""

    label: str
    contribution: float
    left: float
    width: float
    end: float

    @property
    def upwards(self) -> bool:
        return self.contribution >= 0


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars, the largest contribution first, from the place of the bias on; all numbers have the same ``decimals``."""

    explanation: Explanation
    bars: tuple[Bar, ...]
    start: float
    decimals: int


def waterfall(explanation: Explanation, fields: Sequence[Field]) -> Waterfall:
    """Draw what each field's value added; the smallest share the last bar where there are many."""
    named = [
        (f"{field.feature.name} = {field.words}", each)
        for field, each in zip(fields, explanation.contributions, strict=True)
    ]
    named.sort(key=lambda pair: -abs(pair[1]))
    if len(named) > MOST_BARS:
        rest = named[MOST_BARS - 1 :]
        named = [
            *named[: MOST_BARS - 1],
            (f"{len(rest)} other columns", sum(each for _, each in rest)),
        ]
    levels = [explanation.bias]
    for _, each in named:
        levels.append(levels[-1] + each)
    low, high = min(levels), max(levels)
    span = (high - low) or 1.0
    places = [100 * (level - low) / span for level in levels]
    bars = [
        Bar(label, each, min(start, end), abs(end - start), end)
        for (label, each), start, end in zip(named, places, places[1:], strict=False)
    ]
    return Waterfall(explanation, tuple(bars), places[0], _decimals(levels))


def _decimals(levels: Sequence[float]) -> int:
    """Return with how many decimals the largest of numbers has DIGITS digits."""
    largest = max(abs(level) for level in levels)
    return (
        min(MOST_DECIMALS, max(0, DIGITS - 1 - math.floor(math.log10(largest)))) if largest else 0
    )
