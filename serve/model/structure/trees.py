"""Check that the trees of a model in UBJSON are trees, because XGBoost does not.

It would read outside of its memory at a child or a feature that does not exist, and never end at a
node that leads back to itself.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.model.structure.damaged import Damaged
from serve.model.structure.ubjson_scan import scan

LEFT, RIGHT, FEATURE = b"left_children", b"right_children", b"split_indices"
LEAF = -1  # the left child of a leaf
FEATURE_COUNT = re.compile(rb"num_featureSL\0{7}.(\d+)", re.DOTALL)

Integers = NDArray[np.int64]


def check_trees(content: bytes) -> None:
    """Raise Damaged if a model is not valid UBJSON, is nested deeply, or has damaged trees."""
    arrays = scan(content, (LEFT, RIGHT, FEATURE))
    trees = arrays[LEFT]
    sizes = [list(map(len, arrays[name])) for name in (LEFT, RIGHT, FEATURE)]
    if sizes[1:] != sizes[:1] * 2 or 0 in sizes[0]:
        raise Damaged("has trees whose nodes are incomplete")
    if not trees:
        return
    size = np.array(sizes[0])
    left, right, feature = (_join(arrays[name]) for name in (LEFT, RIGHT, FEATURE))
    is_inner = left != LEAF
    tree = np.repeat(np.arange(len(size)), size)[is_inner]
    _check_children(left[is_inner], right[is_inner], tree, size)
    _check_features(feature[is_inner], tree, content)


def _join(arrays: Sequence[NDArray[Any]]) -> Integers:
    return np.concatenate(arrays, dtype=np.int64, casting="unsafe")


def _check_children(left: Integers, right: Integers, tree: Integers, size: Integers) -> None:
    """Check that each node has at most one parent, and that a root has none: nothing else loops."""
    children, trees = np.concatenate([left, right]), np.concatenate([tree, tree])
    is_outside = (children < 1) | (children >= size[trees])
    _reject(trees[is_outside], "leads to a node that it does not have")
    starts = np.cumsum(size) - size
    parents = np.bincount(starts[trees] + children, minlength=size.sum())
    _reject(trees[parents[starts[trees] + children] > 1], "leads to one node in two ways")


def _check_features(feature: Integers, tree: Integers, content: bytes) -> None:
    # The names of a learner are sorted, so its number of features comes after all of its trees.
    start = content.rfind(b"num_featureSL")
    count = FEATURE_COUNT.match(content, start) if start >= 0 else None
    if count:
        is_unknown = (feature < 0) | (feature >= int(count[1]))
        _reject(tree[is_unknown], "tests a feature that the model does not have")


def _reject(trees: Integers, reason: str) -> None:
    if len(trees):
        raise Damaged(f"has a damaged tree: tree {trees.min():,} {reason}")
