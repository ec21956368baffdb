"""Records: a slice of a decoded payload, either rows of cells or a matrix of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Cell = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of cells that the schema has to read one column at a time.

    Textual cells (CSV) are strings that contain a number or a label; other cells (JSON) are typed
    values. ``names`` are the column names in the order of the cells, or None if the cells are in
    schema order. ``names_source`` is where the names were sent, for messages. ``first_row`` counts
    from 1 and excludes the header.
    """

    cells: Sequence[Sequence[Cell]]
    textual: bool
    first_row: int = 1
    names: tuple[str, ...] | None = None
    names_source: str = "header"

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Numbers, float32 or float64 (n, f), with NaN for a missing value and codes for categories.

    If ``accepted``, the numbers are float32 and have passed ``Schema.accepts``. Their columns are
    in the order of ``names``, or in schema order if that is None. If not, they are in schema order,
    and the schema still has to check them. ``first_row`` counts from 1.
    """

    numbers: NDArray[Any]
    first_row: int = 1
    names: tuple[str, ...] | None = None
    accepted: bool = False

    def __len__(self) -> int:
        return len(self.numbers)


Records = Rows | Matrix
