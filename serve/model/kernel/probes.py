"""Rows that show whether two predictors agree: every threshold, its neighbors, special values."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from serve.model.kernel.trees import Floats, Trees

SPECIAL_VALUES = np.array(
    [
        *(np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 1.17e-38, -1.17e-38),
        *(3.4e38, -3.4e38, 1e30, -1e30, 0.5, -0.5, 1, -1, 2.5, 31, 32, 255, 256, 16_777_215),
        *(16_777_216, 2_147_483_648, 4_294_967_296, 1e9),
    ],
    dtype=np.float32,
)
MIN_ROWS, MAX_ROWS = 300, 1_000
MAX_VALUES = 4_000_000  # more features than MAX_VALUES / MIN_ROWS get fewer rows
MAX_STEPS = 8_000_000  # from node to node; XGBoost takes 10 ns for each
SPECIAL_SHARE = 0.1  # of the values of a column
MISSING_SHARE = 0.7  # of the values in every tenth row
SEED = 18


def build_probes(trees: Trees) -> Floats:
    """Return the rows, float32 (n, f): in each column, the values that its splits distinguish."""
    random = np.random.default_rng(SEED)
    values_by_column = dict(_list_values(trees))
    rows = max((len(values) for values in values_by_column.values()), default=0)
    rows = min(rows, MAX_ROWS, MAX_STEPS // int((trees.depth + 1).sum()))
    rows = min(max(rows, MIN_ROWS), MAX_VALUES // trees.feature_count + 1)
    probes = random.choice(SPECIAL_VALUES, (rows, trees.feature_count))
    for column, values in values_by_column.items():
        order = random.permutation(np.resize(random.permutation(len(values)), rows))
        is_special = random.random(rows) < SPECIAL_SHARE
        probes[:, column] = np.where(is_special, probes[:, column], values[order])
    # Rows with many missing values, and one with nothing else.
    for row in range(0, rows, 10):
        probes[row, random.random(trees.feature_count) < MISSING_SHARE] = np.nan
    probes[0] = np.nan
    return probes


def _list_values(trees: Trees) -> Iterator[tuple[int, Floats]]:
    """Yield each tested column, with its thresholds, their neighbors, and its categories."""
    is_categorical = trees.is_categorical
    for column, nodes in trees.group_by_feature(np.flatnonzero(trees.left)):
        thresholds = np.unique(trees.threshold[nodes[~is_categorical[nodes]]])
        categories = {
            category for node in nodes[is_categorical[nodes]] for category in trees.categories[node]
        }
        yield (
            int(column),
            np.concatenate(
                [
                    thresholds,
                    np.nextafter(thresholds, np.float32(np.inf)),
                    np.nextafter(thresholds, np.float32(-np.inf)),
                    _surround(categories),
                ]
            ),
        )


def _surround(categories: set[int]) -> NDArray[np.float32]:
    """Return categories, the numbers around them, and fractions."""
    values = sorted(categories)
    return np.array(
        [value + offset for value in values for offset in (0, -1, 1, 0.5)], dtype=np.float32
    )
