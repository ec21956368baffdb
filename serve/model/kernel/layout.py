"""Lay a model's trees out in memory as kernel/forest.h describes, which explains the structures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serve.model.kernel.columns import Columns, build_columns
from serve.model.kernel.trees import Floats, Integers, Trees

BLOCK = 64
MAX_EVALUATED, TOP_LEVELS = 8, 6
NEVER_RIGHT = 127
MIN_ENDS = 16  # the kernel reads as many at each tree's
FIRST_PLACE = -128  # places and codes are signed bytes

TREE = np.dtype(
    [(name, "u4") for name in ("nodes", "node_count", "depth", "group", "tests", "ends")]
    + [("weight", "f4")]
)
NODE = np.dtype([("column", "u2"), ("left", "u2"), ("place", "i1")], align=True)
TEST = np.dtype([("offset", "u4"), ("place", "i1", 4)])


@dataclass(frozen=True, slots=True)
class Layout:
    """The arrays of a forest, in the order of the kernel's ``load``."""

    tree: NDArray[np.void]
    node: NDArray[np.void]
    value: Floats
    test: NDArray[np.void]
    end: NDArray[np.uint32]
    columns: Columns

    def list_arrays(self, base_margins: Floats) -> tuple[NDArray[np.generic], ...]:
        columns = self.columns
        return (
            *(self.tree, self.node, self.value, self.test, self.end),
            *(columns.column, columns.threshold, columns.category, base_margins),
        )


def lay_out(trees: Trees) -> Layout:
    """Return the layout of a model's trees; raises Unsupported."""
    columns = build_columns(trees)
    is_leaf = trees.left == 0
    node = np.zeros(len(trees.left), NODE)
    node["column"] = 2 * columns.of_node + trees.default_left
    node["left"] = trees.left
    node["place"] = columns.place + FIRST_PLACE
    roots = np.repeat(trees.first, trees.size)
    own = (np.arange(len(roots)) - roots).astype(np.uint16)
    node["column"][is_leaf] = 0
    node["left"][is_leaf] = own[is_leaf]
    node["place"][is_leaf] = NEVER_RIGHT
    tree = np.zeros(len(trees.first), TREE)
    tree["nodes"], tree["node_count"] = trees.first, trees.size
    tree["depth"], tree["group"], tree["weight"] = trees.depth, trees.group, trees.weight
    value = np.where(is_leaf, trees.threshold, np.float32(0))
    test, end = _lay_out_evaluated(trees, tree, node, value)
    return Layout(tree, node, value, test, end, columns)


def _lay_out_evaluated(
    trees: Trees, tree: NDArray[np.void], node: NDArray[np.void], value: Floats
) -> tuple[NDArray[np.void], NDArray[np.uint32]]:
    """Return the tests and ends of all trees, and set where each tree's begin."""
    levels_of = np.where(trees.depth > MAX_EVALUATED, TOP_LEVELS, trees.depth)
    test_parts, end_parts = [], []
    test_count = end_count = 0
    for levels in np.unique(levels_of):
        same = np.flatnonzero(levels_of == levels)
        tests, ends = _complete(trees, same, int(levels))
        tree["tests"][same] = test_count + np.arange(len(same)) * tests.shape[1]
        tree["ends"][same] = end_count + np.arange(len(same)) * ends.shape[1]
        test_count += tests.size
        end_count += ends.size
        is_deep = trees.depth[same, np.newaxis] > MAX_EVALUATED
        own = (ends - trees.first[same, np.newaxis]).astype(np.uint32)
        test_parts.append(tests.ravel())
        end_parts.append(np.where(is_deep, own, value[ends].view(np.uint32)).ravel())
    nodes = np.concatenate(test_parts)
    is_test = nodes >= 0
    test = np.zeros(len(nodes), TEST)
    test["offset"] = np.where(is_test, node["column"][nodes], 0) * np.uint32(BLOCK)
    test["place"] = np.where(is_test, node["place"][nodes], NEVER_RIGHT)[:, np.newaxis]
    return test, np.concatenate([*end_parts, np.zeros(MIN_ENDS, np.uint32)])


def _complete(trees: Trees, those: Integers, levels: int) -> tuple[Integers, Integers]:
    """Return the first levels of some trees as complete binary trees.

    Returns the nodes of each tree's tests in preorder, integers (trees, 2^levels - 1), -1 where a
    leaf takes the place of a node; and the nodes at its ends, integers (trees, 2^levels).
    """
    tests = np.full((len(those), (1 << levels) - 1), -1)
    root = trees.first[those][:, np.newaxis]
    nodes, positions = root, np.zeros(1, dtype=np.int64)
    for level in range(levels):
        left = trees.left[nodes]
        tests[:, positions] = np.where(left > 0, nodes, -1)
        # The end below a leaf is the leaf itself.
        children = [np.where(left > 0, root + left + side, nodes) for side in (0, 1)]
        nodes = np.stack(children, axis=2).reshape(len(those), -1)
        right_position = positions + (1 << (levels - 1 - level))
        positions = np.stack([positions + 1, right_position], axis=1).ravel()
    return tests, nodes
