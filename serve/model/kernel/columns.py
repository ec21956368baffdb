"""Coded columns: the thresholds and categories by which the kernel turns values into bytes.

The code of a value is the number of the column's thresholds that are not above it, minus 128. A
column of categories has the codes RIGHT and LEFT.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.model.kernel.trees import Floats, Integers, Trees
from serve.model.kernel.unsupported import Unsupported

MAX_THRESHOLDS = 255  # more do not fit a byte; 255 stands for a missing value that goes right
MAX_COLUMNS = 1_024  # half of the kernel's memory for 64 rows: SCRATCH in kernel/forest.h
MAX_CODES = 4_000_000  # of all sets of categories: their tables are as long as the largest category
LEFT, RIGHT = -128, 127
COLUMN = np.dtype([(name, "u4") for name in ("feature", "first", "half", "categories")])


@dataclass(frozen=True, slots=True)
class Columns:
    """The coded columns of a model.

    Attributes:
        column: feature, first threshold or category, and their number, of type COLUMN.
        threshold: of all columns, each padded with NaN for a binary search.
        category: of all columns of categories, the code of each category, of an unknown one, and of
            a missing one.
        of_node: the column that each node tests; 0 for a leaf.
        place: of each node; a greater code goes right.

    """

    column: NDArray[np.void]
    threshold: Floats
    category: NDArray[np.int8]
    of_node: Integers
    place: Integers


def build_columns(trees: Trees) -> Columns:
    """Return the columns that code the values of all splits; raises Unsupported."""
    builder = _Builder(len(trees.left))
    is_inner = trees.left > 0
    numeric = np.flatnonzero(is_inner & ~trees.is_categorical)
    for feature, nodes in trees.group_by_feature(numeric):
        builder.add_thresholds(feature, nodes, trees.threshold[nodes])
    categorical = np.flatnonzero(is_inner & trees.is_categorical)
    for feature, nodes in trees.group_by_feature(categorical):
        builder.add_categories(feature, nodes, [trees.categories[int(node)] for node in nodes])
    return builder.build()


class _Builder:
    """The columns so far, and for each node its column and place."""

    def __init__(self, node_count: int) -> None:
        self._columns: list[tuple[int, int, int, int]] = []
        self._thresholds = _Joined(np.float32)
        self._categories = _Joined(np.int8)
        self._of_node = np.zeros(node_count, dtype=np.int32)
        self._place = np.zeros(node_count, dtype=np.int32)

    def add_thresholds(self, feature: int, nodes: Integers, thresholds: Floats) -> None:
        """Add the columns of a feature's numeric splits: one for each MAX_THRESHOLDS of them."""
        values, ranks = np.unique(thresholds, return_inverse=True)
        self._of_node[nodes] = len(self._columns) + ranks // MAX_THRESHOLDS
        self._place[nodes] = ranks % MAX_THRESHOLDS
        for start in range(0, len(values), MAX_THRESHOLDS):
            part = values[start : start + MAX_THRESHOLDS]
            half = 1 << (len(part).bit_length() - 1)
            padding = np.full(2 * half - 1 - len(part), np.nan)
            self._add(feature, self._thresholds.add([*part, *padding]), half, 0)

    def add_categories(
        self, feature: int, nodes: Integers, chosen: Sequence[tuple[int, ...]]
    ) -> None:
        """Add the columns of a feature's categorical splits: one for each set of categories."""
        count = 1 + max((categories[-1] for categories in chosen if categories), default=0)
        of_set, sets = {}, sorted(set(chosen))
        if len(sets) * count + len(self._categories) > MAX_CODES:
            raise Unsupported(f"its sets of categories need more than {MAX_CODES:,} codes")
        for categories in sets:
            of_set[categories] = len(self._columns)
            goes_right = np.isin(np.arange(count), categories)
            # An unknown category goes left; a missing value goes right with this table.
            table = np.where(np.append(goes_right, (False, True)), RIGHT, LEFT)
            self._add(feature, self._categories.add(table), 0, len(table))
        self._of_node[nodes] = [of_set[categories] for categories in chosen]

    def build(self) -> Columns:
        if not self._columns:  # each tree is a single leaf; the kernel needs a column nevertheless
            self._add(0, self._thresholds.add([np.nan]), 1, 0)
        return Columns(
            np.array(self._columns, COLUMN),
            self._thresholds.join(),
            self._categories.join(),
            self._of_node,
            self._place,
        )

    def _add(self, feature: int, first: int, half: int, categories: int) -> None:
        if len(self._columns) == MAX_COLUMNS:
            raise Unsupported(f"its thresholds need more than {MAX_COLUMNS:,} columns of codes")
        self._columns.append((feature, first, half, categories))


class _Joined:
    """Arrays that become one."""

    def __init__(self, dtype: type) -> None:
        self._dtype = dtype
        self._parts: list[NDArray[Any]] = []
        self._size = 0

    def add(self, part: object) -> int:
        """Add an array, and return its start in the joined array."""
        self._parts.append(np.asarray(part, self._dtype))
        self._size += len(self._parts[-1])
        return self._size - len(self._parts[-1])

    def __len__(self) -> int:
        return self._size

    def join(self) -> NDArray[Any]:
        return np.concatenate([np.zeros(0, self._dtype), *self._parts])
