"""Matrices: what formats of numbers alone are read into, a slice of bounded size at a time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# A slice of a wide sparse payload is far larger than its bytes.
SLICE_NUMBERS = 1 << 20
SLICE_ROWS = 10_000


def rows_in_slice(width: int) -> int:
    """Return how many rows of a width are decoded at a time."""
    return max(1, min(SLICE_ROWS, SLICE_NUMBERS // max(1, width)))


def scattered(
    counts: Sequence[int], columns: NDArray[np.int64], values: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], int | None]:
    """Return the matrix of sparse rows, float64 (n, width), NaN where there is no value, and the place of a repeated column.

    Row ``i`` has the next ``counts[i]`` of the columns and values; the columns are inside the width. The place is that of the
    first value, among all of them, whose column came before in its row, None where there is none.
    """
    matrix = np.full((len(counts), width), np.nan)
    places = np.repeat(np.arange(len(counts)) * width, counts) + columns
    matrix.reshape(-1)[places] = values
    order = np.argsort(places, kind="stable")
    repeated = order[1:][np.diff(places[order]) == 0]
    return matrix, int(repeated.min()) if len(repeated) else None
