"""Read the trees of a booster into flat arrays, and refuse everything that is not understood."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.model.kernel.known_keys import check_keys, check_tree
from serve.model.kernel.unsupported import Unsupported

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float32]

MAX_NODES = 65_535  # the kernel counts the nodes of a tree in two bytes
BOOSTERS = ("gbtree", "dart")


@dataclass(frozen=True, slots=True)
class Trees:
    """The nodes of all trees, one tree after the other, each from its root down, level by level.

    Attributes:
        group: the output that each tree adds to: its class or target.
        weight: of each tree; 1 except for dart.
        first: the root of each tree.
        depth: of each tree; 0 for a single leaf.
        left: the left child of each node, as an index in its tree; the right child is next to it.
            0 for a leaf.
        feature: the feature that each node tests.
        threshold: a smaller value goes left; NaN for a categorical split. A leaf's value.
        default_left: whether a missing value goes left.
        categories: of each categorical split, by its node: the categories that go right.

    """

    feature_count: int
    group: Integers
    weight: Floats
    first: Integers
    depth: Integers
    left: Integers
    feature: Integers
    threshold: Floats
    default_left: NDArray[np.bool_]
    categories: dict[int, tuple[int, ...]]

    @property
    def size(self) -> Integers:
        """The number of nodes of each tree."""
        return np.diff(self.first, append=len(self.left))

    @property
    def is_categorical(self) -> NDArray[np.bool_]:
        """Whether each node is a categorical split."""
        found = np.zeros(len(self.left), dtype=bool)
        found[list(self.categories)] = True
        return found

    def group_by_feature(self, nodes: Integers) -> Iterator[tuple[int, Integers]]:
        """Yield each feature that some nodes test, with those nodes, in ascending order."""
        nodes = nodes[np.argsort(self.feature[nodes], kind="stable")]
        features, starts = np.unique(self.feature[nodes], return_index=True)
        ends = np.append(starts, len(nodes))[1:]
        for feature, start, end in zip(features, starts, ends, strict=True):
            yield int(feature), nodes[start:end]


def read_trees(learner: Mapping[str, Any], rounds: int) -> Trees:
    """Return the trees of the first rounds of a learner, as XGBoost saves it; raises Unsupported.

    An unknown key may change what the others mean, so it is refused.
    """
    booster = learner["gradient_booster"]
    if booster["name"] not in BOOSTERS:
        raise Unsupported(f"its booster is {booster['name']}")
    model, weights = _find_model(booster)
    check_keys("gbtree_model_param", model["gbtree_model_param"])
    tree_count = int(model["iteration_indptr"][rounds])
    trees = model["trees"][:tree_count]
    if not trees:
        raise Unsupported("the model has no trees")
    for tree in trees:
        check_tree(tree)
    feature_count = int(learner["learner_model_param"]["num_feature"])
    return _renumber(
        trees,
        feature_count,
        np.asarray(model["tree_info"][:tree_count], dtype=np.int64),
        np.asarray(weights[:tree_count], dtype=np.float32),
    )


def _find_model(booster: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
    """Return the trees' model, and the weights of its trees.

    Until XGBoost 3.3, dart is a booster around gbtree; then its weights are part of the model.
    """
    model = booster.get("gbtree", booster).get("model", {})
    check_keys("model", model, optional={"weight_drop"})
    weights = booster.get("weight_drop", model.get("weight_drop", ()))
    return model, weights if len(weights) else np.ones(len(model["trees"]))


def _renumber(
    trees: Sequence[Mapping[str, Any]], feature_count: int, group: Integers, weight: Floats
) -> Trees:
    """Return the trees with their nodes renumbered: siblings are neighbors.

    Nodes that pruning deleted are left out.
    """
    sizes = np.array([len(tree["left_children"]) for tree in trees])
    if sizes.max() > MAX_NODES:
        raise Unsupported(f"a tree has more than {MAX_NODES:,} nodes")
    starts = np.cumsum(sizes) - sizes
    children = [
        _join(trees, key, np.int32) + np.repeat(starts, sizes).astype(np.int32)
        for key in ("left_children", "right_children")
    ]
    is_inner = _join(trees, "left_children", np.int32) >= 0
    # XGBoost itself relies on this order in some functions.
    if not np.array_equal(children[0][is_inner] + 1, children[1][is_inner]):
        raise Unsupported("the children of a node are not next to each other")
    old, tree, left, depth = _walk(starts, sizes, children, is_inner)
    feature = np.where(is_inner[old], _join(trees, "split_indices", np.int32)[old], 0)
    threshold = _join(trees, "split_conditions", np.float32)[old]
    if np.bincount(old).max() > 1:
        raise Unsupported("its trees are not trees")
    new = np.full(sizes.sum(), -1, dtype=np.int32)
    new[old] = np.arange(len(old), dtype=np.int32)
    categories = dict(_list_categories(trees, starts, new))
    if (feature < 0).any() or (feature >= feature_count).any():
        raise Unsupported("a node tests a feature that the model does not have")
    threshold[list(categories)] = np.nan
    numeric = is_inner[old]
    numeric[list(categories)] = False
    if not np.isfinite(threshold[numeric]).all():
        raise Unsupported("a threshold is not finite")
    return Trees(
        feature_count,
        group,
        weight,
        np.searchsorted(tree, np.arange(len(trees))),
        depth,
        left,
        feature,
        threshold,
        _join(trees, "default_left", np.bool_)[old],
        categories,
    )


def _join(trees: Sequence[Mapping[str, Any]], key: str, dtype: Any) -> NDArray[Any]:
    return np.concatenate([tree[key] for tree in trees], dtype=dtype, casting="unsafe")


def _walk(
    starts: Integers, sizes: Integers, children: list[Integers], is_inner: NDArray[np.bool_]
) -> tuple[Integers, Integers, Integers, Integers]:
    """Visit all trees from their roots, level by level.

    Returns for each visited node, tree by tree: its old index, its tree, and its left child's new
    index in the tree; and the depth of each tree.
    """
    ends = starts + sizes
    level, tree = starts, np.arange(len(starts))
    next_index = np.ones(len(starts), dtype=np.int64)
    depth = np.zeros(len(starts), dtype=np.int64)
    levels = []
    while len(level):
        inner = is_inner[level]
        parents, parents_tree = level[inner], tree[inner]
        counts = np.bincount(parents_tree, minlength=len(starts))
        rank = np.arange(len(parents)) - (np.cumsum(counts) - counts)[parents_tree]
        left = np.zeros(len(level), dtype=np.int32)
        left[inner] = next_index[parents_tree] + 2 * rank
        levels.append((level, tree, left))
        depth[counts > 0] += 1
        next_index += 2 * counts
        level = np.stack([side[parents] for side in children], axis=1).ravel()
        tree = np.repeat(parents_tree, 2)
        is_outside = (level < starts[tree]) | (level >= ends[tree])
        if is_outside.any() or (next_index > sizes).any():
            raise Unsupported("its trees are not trees")
    old, tree, left = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    order = np.argsort(tree, kind="stable")
    return old[order], tree[order], left[order], depth


def _list_categories(
    trees: Sequence[Mapping[str, Any]], starts: Integers, new: Integers
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield each categorical split's node, and the categories that go right."""
    for tree, start in zip(trees, starts, strict=True):
        segments = (tree[f"categories_{name}"] for name in ("nodes", "segments", "sizes"))
        for node, first, size in zip(*segments, strict=True):
            values = tree["categories"][int(first) : int(first) + int(size)]
            if new[start + int(node)] >= 0:
                yield int(new[start + int(node)]), tuple(sorted(map(int, values)))
