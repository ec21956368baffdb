"""Table: random records of a model as numbers, from which a payload is written."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from tests.adversary.columns import OVERFLOW, Column

LARGEST = float(np.finfo(np.float32).max)
MARKER_RATE = 0.2
SPECIAL_NUMBERS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    16777217.0,  # halfway between two neighbors of float32
    16777219.0,
    LARGEST,
    -LARGEST,
    math.nextafter(OVERFLOW, 0.0),  # rounds to the largest float32
    1.401298464324817e-45,  # the smallest float32
    7.006492321624085e-46,  # rounds to 0
    7.006492321624086e-46,  # rounds to the smallest float32
    -1e-310,
    1.17549435e-38,
)


@dataclass(frozen=True, slots=True)
class NumberType:
    """The numbers that a format can hold: ``convert`` returns the nearest one."""

    convert: Callable[[float], float]
    has_nan: bool = True


def integers(bits: int, *, signed: bool) -> NumberType:
    """Return the type of integers with this many bits, within the exact integers of float64."""
    low = -(1 << bits - 1) if signed else 0
    high = low + (1 << bits) - 1
    low, high = max(low, -(1 << 53)), min(high, 1 << 53)
    return NumberType(lambda number: float(max(low, min(high, int(number)))), has_nan=False)


def to_half(number: float) -> float:
    return float(np.float16(max(-65504.0, min(65504.0, number))))


ANY = NumberType(float)
FLOAT32 = NumberType(lambda number: float(np.float32(max(-LARGEST, min(LARGEST, number)))))
FLOAT16 = NumberType(to_half)
BOOLEAN = NumberType(lambda number: float(number > 0), has_nan=False)


@dataclass(frozen=True, slots=True)
class TableMaker:
    """Draws the values of one table; some tables contain only simple numbers.

    ``splits`` are the thresholds of each column in the model's trees.
    """

    columns: Sequence[Column]
    splits: Sequence[Sequence[float]]
    random: Random
    type: NumberType = ANY

    def make(self, rows: int) -> list[list[float]]:
        """Return rows of numbers and codes; NaN is a missing value."""
        simple = self.random.random() < 0.4
        missing = self.random.choice((0.0, 0.05, 0.5)) if self.type.has_nan else 0.0
        return [
            [self._draw(column, simple, missing) for column in range(len(self.columns))]
            for _ in range(rows)
        ]

    def _draw(self, index: int, simple: bool, missing: float) -> float:  # noqa: FBT001 - see make
        column = self.columns[index]
        if missing and not column.required and self.random.random() < missing:
            return math.nan
        if column.code_count:
            return self.type.convert(float(self.random.randrange(column.code_count)))
        if column.kind == "boolean":
            return float(self.random.randrange(2))
        number = self._draw_simple() if simple else self._draw_any(self.splits[index])
        number = self._mark(column, self.type.convert(number))
        return number + 1.0 if column.required and column.is_marker(number) else number

    def _mark(self, column: Column, number: float) -> float:
        """Return the number, or sometimes the marker or one of its neighbors in float32."""
        if column.marker is None or self.random.random() > MARKER_RATE:
            return number
        marker = np.float32(column.marker)
        neighbor = np.nextafter(marker, np.float32(self.random.choice((-9999, 9999))))
        return self.type.convert(float(self.random.choice((marker, marker, neighbor))))

    def _draw_simple(self) -> float:
        return round(self.random.gauss(0, 2), 2)

    def _draw_any(self, splits: Sequence[float]) -> float:
        kind = self.random.randrange(10)
        if kind < 4 and splits:
            return self._draw_near(self.random.choice(splits))
        if kind < 6:
            return self.random.gauss(0, 2)
        if kind < 7:
            return float(self.random.randrange(-50, 50))
        if kind < 8:
            return self.random.choice(SPECIAL_NUMBERS)
        if kind < 9:
            return self.random.gauss(0, 1) * 10.0 ** self.random.randrange(-46, 38)
        return self._draw_simple()

    def _draw_near(self, split: float) -> float:
        """Return a threshold, one of its neighbors in float32, or a number halfway to one."""
        neighbor = float(np.nextafter(np.float32(split), np.float32(self.random.choice((-9, 9)))))
        return self.random.choice((split, neighbor, (split + neighbor) / 2))


def to_features(table: Sequence[Sequence[float]], width: int) -> NDArray[np.float32]:
    """Return a table as the float32 matrix (n, width) that XGBoost predicts."""
    with np.errstate(over="ignore", under="ignore"):
        return np.array(table, dtype=np.float64).reshape(-1, width).astype(np.float32)
