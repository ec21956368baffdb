"""Read what a booster's JSON model says about categories: labels, codes, and kinds of splits.

``learner`` is the object of this name in that model. Source: doc/model.schema in dmlc/xgboost.
"""

from dataclasses import dataclass
from typing import Any

from serve.model.schema_json.label_traces import LabelTraces

CATEGORICAL_SPLIT = 1


@dataclass(frozen=True, slots=True)
class Splits:
    """How the trees split on a feature.

    ``code_count`` is the largest code in a split plus one, or 0 without splits by category.
    """

    code_count: int = 0
    by_threshold: bool = False


def read_labels(learner: dict[str, Any], feature_count: int) -> list[tuple[str, ...] | LabelTraces]:
    """Return the labels of each feature in the order of their codes.

    The tuple is empty for a numeric feature, and if the model has no labels. Integer categories
    are returned as text, and text as LabelTraces.
    """
    encodings = _read_trees(learner).get("cats", {}).get("enc") or [{}] * feature_count
    return [_read_encoding(encoding) for encoding in encodings]


def read_splits(learner: dict[str, Any], feature_count: int) -> list[Splits]:
    """Return how the trees split on each feature; a linear booster has no trees."""
    code_counts, thresholds = [0] * feature_count, [False] * feature_count
    for tree in _read_trees(learner).get("trees", ()):
        for feature, left_child, kind in zip(
            tree["split_indices"], tree["left_children"], tree["split_type"], strict=True
        ):
            if left_child >= 0 and kind != CATEGORICAL_SPLIT:
                thresholds[feature] = True
        for node, start, size in zip(
            tree["categories_nodes"],
            tree["categories_segments"],
            tree["categories_sizes"],
            strict=True,
        ):
            feature = tree["split_indices"][node]
            split_codes = tree["categories"][start : start + size]
            code_counts[feature] = max([code_counts[feature], *(code + 1 for code in split_codes)])
    return [Splits(*splits) for splits in zip(code_counts, thresholds, strict=True)]


def _read_trees(learner: dict[str, Any]) -> dict[str, Any]:
    booster = learner["gradient_booster"]
    gbtree = booster.get("gbtree", booster)  # dart nests its trees one level deeper
    trees: dict[str, Any] = gbtree["model"]
    return trees


def _read_encoding(encoding: dict[str, Any]) -> tuple[str, ...] | LabelTraces:
    values = encoding.get("values", ())
    if "offsets" not in encoding:
        return tuple(map(str, values))
    if not encoding["offsets"]:
        return ()
    return LabelTraces(bytes(value % 256 for value in values), tuple(encoding["offsets"]))
