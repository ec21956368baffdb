"""The distribution of many predictions, counted in bins while they come in."""

import math
from dataclasses import dataclass

import numpy as np

MOST_BINS = 24
MOST_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Bin:
    """How many predictions are from ``low`` to below ``high``, and how high the bar is, in per cent of the highest."""

    low: float
    high: float
    count: int
    height: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bins of the same width; ``count`` and ``mean`` are of all predictions that are numbers."""

    bins: tuple[Bin, ...]
    count: int
    low: float
    mean: float
    high: float


class Distribution:
    """Collects predictions: their count, mean, least and largest exactly, and of very many an even sample for the bins."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._stride = 1
        self._count = 0
        self._sum = 0.0
        self._low, self._high = math.inf, -math.inf

    def add(self, value: float) -> None:
        """Take in one prediction; what is no finite number is left out."""
        if not math.isfinite(value):
            return
        if self._count % self._stride == 0:
            self._values.append(value)
        self._count += 1
        self._sum += value
        self._low, self._high = min(self._low, value), max(self._high, value)
        if len(self._values) > MOST_VALUES:
            self._values = self._values[::2]
            self._stride *= 2

    def histogram(self) -> Histogram | None:
        """Return the picture; None of no predictions."""
        if not self._count:
            return None
        wanted = min(MOST_BINS, max(1, math.ceil(2 * len(self._values) ** (1 / 3))))
        counts, edges = np.histogram(self._values, bins=wanted, range=(self._low, self._high))
        top = int(counts.max())
        bins = tuple(
            Bin(float(low), float(high), int(count) * self._stride, 100 * int(count) / top)
            for low, high, count in zip(edges, edges[1:], counts, strict=False)
        )
        return Histogram(bins, self._count, self._low, self._sum / self._count, self._high)
