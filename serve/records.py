"""Records: rows as a caller sent them, decoded but not yet aligned with the model's features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Cell = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Records:
    """Some consecutive rows of a payload.

    ``rows`` holds one sequence of cells for each row, or all of them as a float32 matrix (n, f) whose numbers the schema takes.
    In ``textual`` records (CSV) a cell is the text of a number or a label; in others (JSON) it is a value with a type of its own.
    ``names`` are the columns' names in the order of the cells, None where a row's cells come in schema order; ``names_place`` is
    where the caller wrote them. ``first_row`` counts from 1, without a header.

    Formats of numbers alone bring ``numbers`` in place of rows: float32 or float64 (n, f), in schema order, NaN where a value is
    missing, categories as their codes.
    """

    rows: Sequence[Sequence[Cell]] | NDArray[np.float32]
    textual: bool
    first_row: int = 1
    names: tuple[str, ...] | None = None
    names_place: str = "the header"
    numbers: NDArray[np.floating[Any]] | None = None
