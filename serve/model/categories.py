"""Read the categories of a booster's features from its JSON model.

``learner`` is the object of this name in that model. Source: doc/model.schema in dmlc/xgboost.
"""

from itertools import pairwise
from typing import Any

# Older versions confused characters and bytes when saving a label, and truncated non-ASCII labels.
FIRST_VERSION_WITH_WHOLE_LABELS = (3, 4)


def read_labels(learner: dict[str, Any], feature_count: int) -> list[tuple[str, ...]]:
    """Return the labels of each feature in the order of their codes.

    The tuple is empty for a numeric feature, and if the model has no labels. Integer categories
    are returned as text.
    """
    encodings = _read_trees(learner).get("cats", {}).get("enc") or [{}] * feature_count
    return [_decode_labels(encoding) for encoding in encodings]


def may_be_truncated(labels: tuple[str, ...], writer_version: tuple[int, ...]) -> bool:
    """Return whether the XGBoost that wrote the model may have truncated these labels."""
    return writer_version < FIRST_VERSION_WITH_WHOLE_LABELS and not "".join(labels).isascii()


def count_codes(learner: dict[str, Any], feature_count: int) -> list[int]:
    """Return the largest code in the splits on each feature plus one, or 0 if there are none."""
    counts = [0] * feature_count
    for tree in _read_trees(learner)["trees"]:
        for node, start, size in zip(
            tree["categories_nodes"],
            tree["categories_segments"],
            tree["categories_sizes"],
            strict=True,
        ):
            feature = tree["split_indices"][node]
            split_codes = tree["categories"][start : start + size]
            counts[feature] = max(counts[feature], *(code + 1 for code in split_codes))
    return counts


def _read_trees(learner: dict[str, Any]) -> dict[str, Any]:
    booster = learner["gradient_booster"]
    gbtree = booster.get("gbtree", booster)  # dart nests its trees one level deeper
    trees: dict[str, Any] = gbtree["model"]
    return trees


def _decode_labels(encoding: dict[str, Any]) -> tuple[str, ...]:
    values = encoding.get("values", ())
    if "offsets" not in encoding:
        return tuple(map(str, values))
    text = bytes(value % 256 for value in values)
    return tuple(
        text[start:end].decode(errors="replace") for start, end in pairwise(encoding["offsets"])
    )
