"""The keys of a model that the kernel understands; any other may change what these mean."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from serve.model.kernel.unsupported import Unsupported

KNOWN_KEYS: dict[str, set[str]] = {
    "model": {
        "cats",
        "gbtree_model_param",
        "iteration_indptr",
        "tree_info",
        "trees",
        "weight_drop",
    },
    "gbtree_model_param": {"num_parallel_tree", "num_trees"},
    "tree": {
        "base_weights",
        "categories",
        "categories_nodes",
        "categories_segments",
        "categories_sizes",
        "default_left",
        "id",
        "left_children",
        "loss_changes",
        "parents",
        "right_children",
        "split_conditions",
        "split_indices",
        "split_type",
        "sum_hessian",
        "tree_param",
    },
    "tree_param": {"num_deleted", "num_feature", "num_nodes", "size_leaf_vector"},
}


def check_tree(tree: Mapping[str, Any]) -> None:
    check_keys("tree_param", tree["tree_param"])
    if int(tree["tree_param"]["size_leaf_vector"]) > 1:
        raise Unsupported("its leaves are vectors")
    check_keys("tree", tree)
    if np.count_nonzero(tree["split_type"]) != len(tree["categories_nodes"]):
        raise Unsupported("its categorical splits are not complete")


def check_keys(name: str, members: Mapping[str, Any], optional: set[str] | None = None) -> None:
    known = KNOWN_KEYS[name]
    if unknown := sorted(members.keys() - known):
        raise Unsupported(f'its {name} has the unknown key "{unknown[0]}"')
    if missing := sorted(known - members.keys() - (optional or set())):
        raise Unsupported(f'its {name} has no key "{missing[0]}"')
