"""Sparse rows: size the slices of numeric formats, and fill a matrix from columns and values."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# A slice of a wide sparse payload is far larger in memory than in the payload.
SLICE_NUMBERS = 1 << 20
SLICE_ROWS = 10_000


def compute_rows_per_slice(width: int) -> int:
    """Return how many rows of ``width`` columns to decode at a time."""
    return max(1, min(SLICE_ROWS, SLICE_NUMBERS // max(1, width)))


def fill_matrix(
    counts: Sequence[int], columns: NDArray[np.int64], values: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], int | None]:
    """Return sparse rows as a matrix, float64 (n, width), with NaN where a value is missing.

    ``columns`` and ``values`` contain the pairs of all rows, ``counts[i]`` of them for row ``i``.
    All columns must be less than ``width``. The second result is the index of the first pair whose
    column is a duplicate in its row, or None.
    """
    matrix = np.full((len(counts), width), np.nan)
    positions = np.repeat(np.arange(len(counts)) * width, counts) + columns
    matrix.reshape(-1)[positions] = values
    order = np.argsort(positions, kind="stable")
    duplicates = order[1:][np.diff(positions[order]) == 0]
    return matrix, int(duplicates.min()) if len(duplicates) else None
