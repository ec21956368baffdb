"""Choose the rows of a self-test: few rows that visit most leaves of a model's trees.

A self-test detects a damaged leaf, or a damaged split above it, only if a row visits that leaf.
"""

import numpy as np
from numpy.typing import NDArray

MIN_SHARE = 0.9


def choose_rows(leaves: NDArray[np.int64], first_rows: list[int]) -> list[int]:
    """Return the first rows, and then the rows that add the most leaves, until 90 % are visited.

    ``leaves`` are what Booster.predict returns with ``pred_leaf=True``, integers (n, trees).
    """
    starts = np.arange(leaves.shape[1]) * (leaves.max() + 1)
    leaves = leaves + starts  # the leaves of all trees have different numbers
    unvisited = np.zeros(leaves.max() + 1, dtype=bool)
    unvisited[leaves] = True
    max_unvisited = (1 - MIN_SHARE) * unvisited.sum()
    rows = list(first_rows)
    unvisited[leaves[rows]] = False
    while unvisited.sum() > max_unvisited:
        row = int(unvisited[leaves].sum(axis=1).argmax())
        unvisited[leaves[row]] = False
        rows.append(row)
    return rows
