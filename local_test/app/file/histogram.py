"""Count predictions in bins of equal width."""

import math
from array import array
from dataclasses import dataclass

import numpy as np

MAX_BINS = 24


@dataclass(frozen=True, slots=True)
class Bin:
    """The number of predictions in [low, high); ``height`` is in percent of the tallest bar."""

    low: float
    high: float
    count: int
    height: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """The bins, and statistics of all predictions that are finite numbers."""

    bins: tuple[Bin, ...]
    count: int
    low: float
    mean: float
    high: float


class Distribution:
    """Collects predictions as float32 and computes their histogram."""

    def __init__(self) -> None:
        self._values = array("f")

    def add(self, value: float) -> None:
        """Add a prediction; infinite values and NaN are ignored."""
        if math.isfinite(value):
            self._values.append(value)

    def compute_histogram(self) -> Histogram | None:
        """Return the histogram, or None without any predictions."""
        if not self._values:
            return None
        values = np.frombuffer(self._values, np.float32).astype(np.float64)
        low, high = float(values.min()), float(values.max())
        bin_count = 1 if low == high else min(MAX_BINS, math.ceil(2 * len(values) ** (1 / 3)))
        counts, edges = np.histogram(values, bin_count)
        max_count = int(counts.max())
        bins = tuple(
            Bin(float(left), float(right), int(count), 100 * int(count) / max_count)
            for left, right, count in zip(edges, edges[1:], counts, strict=False)
        )
        return Histogram(bins, len(values), low, float(values.mean()), high)
