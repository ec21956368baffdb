"""Lay out a waterfall chart: how each column moves the prediction away from the average."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from local_test.app.record.form import FormField
from local_test.app.record.response import Explanation

MAX_BARS = 10
SIGNIFICANT_DIGITS = 4
MAX_DECIMALS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A column's contribution; ``left``, ``width`` and ``end`` are in percent of the chart's width.

    The next bar begins at ``end``.
    """

    label: str
    contribution: float
    left: float
    width: float
    end: float

    @property
    def is_increase(self) -> bool:
        return self.contribution >= 0


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars, largest contribution first, starting at the bias.

    ``start`` is the position of the bias in percent; all numbers are shown with ``decimals``.
    """

    explanation: Explanation
    bars: tuple[Bar, ...]
    start: float
    decimals: int


def build_waterfall(explanation: Explanation, fields: Sequence[FormField]) -> Waterfall:
    """Return the chart of an explanation; beyond MAX_BARS, the smallest bars become one."""
    contributions = _label_contributions(explanation, fields)
    levels = [explanation.bias]
    for _, contribution in contributions:
        levels.append(levels[-1] + contribution)
    low, high = min(levels), max(levels)
    span = (high - low) or 1.0
    positions = [100 * (level - low) / span for level in levels]
    bars = [
        Bar(label, contribution, min(start, end), abs(end - start), end)
        for (label, contribution), start, end in zip(
            contributions, positions, positions[1:], strict=False
        )
    ]
    return Waterfall(explanation, tuple(bars), positions[0], _choose_decimals(levels))


def _label_contributions(
    explanation: Explanation, fields: Sequence[FormField]
) -> list[tuple[str, float]]:
    """Return at most MAX_BARS labels with their contributions, largest contribution first."""
    labeled = [
        (f"{field.feature.name} = {field.display_value}", contribution)
        for field, contribution in zip(fields, explanation.contributions, strict=True)
    ]
    labeled.sort(key=lambda pair: -abs(pair[1]))
    if len(labeled) <= MAX_BARS:
        return labeled
    largest, rest = labeled[: MAX_BARS - 1], labeled[MAX_BARS - 1 :]
    total = sum(contribution for _, contribution in rest)
    return [*largest, (f"{len(rest)} other columns", total)]


def _choose_decimals(levels: Sequence[float]) -> int:
    """Return how many decimals show the largest level with SIGNIFICANT_DIGITS digits."""
    largest = max(abs(level) for level in levels)
    if not largest:
        return 0
    decimals = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest))
    return min(MAX_DECIMALS, max(0, decimals))
