"""The distribution of many predictions, counted in bins."""

import math
from array import array
from dataclasses import dataclass

import numpy as np

MOST_BINS = 24


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
    """Collects predictions, as the float32 that they are."""

    def __init__(self) -> None:
        self._values = array("f")

    def add(self, value: float) -> None:
        """Take in one prediction; what is no finite number is left out."""
        if math.isfinite(value):
            self._values.append(value)

    def histogram(self) -> Histogram | None:
        """Return the picture; None of no predictions."""
        if not self._values:
            return None
        values = np.frombuffer(self._values, np.float32).astype(np.float64)
        low, high = float(values.min()), float(values.max())
        wanted = 1 if low == high else min(MOST_BINS, math.ceil(2 * len(values) ** (1 / 3)))
        counts, edges = np.histogram(values, wanted)
        top = int(counts.max())
        bins = tuple(
            Bin(float(begin), float(end), int(count), 100 * int(count) / top)
            for begin, end, count in zip(edges, edges[1:], counts, strict=False)
        )
        return Histogram(bins, len(values), low, float(values.mean()), high)
