"""The categories of a booster's features, as its JSON model (dmlc/xgboost, doc/model.schema) keeps them.

``learner`` is that model's object of this name.
"""

from itertools import pairwise
from typing import Any

# Older ones counted a label's characters where they meant its bytes, and so cut labels that are not ASCII.
FIRST_TO_KEEP_LABELS_WHOLE = (3, 4)


def labels_of(learner: dict[str, Any], width: int) -> list[tuple[str, ...]]:
    """Return the labels of each feature in the order of their codes; none for numbers and where none were kept.

    Integers as categories count as their text.
    """
    encodings = _trees(learner).get("cats", {}).get("enc") or [{}] * width
    return [_labels(encoding) for encoding in encodings]


def has_cut_labels(labels: tuple[str, ...], writer: tuple[int, ...]) -> bool:
    """Tell whether the XGBoost that wrote the model may have cut these labels."""
    return writer < FIRST_TO_KEEP_LABELS_WHOLE and not "".join(labels).isascii()


def code_counts_of(learner: dict[str, Any], width: int) -> list[int]:
    """Return for each feature the number of codes that its splits know: one more than the largest, 0 without such splits."""
    counts = [0] * width
    for tree in _trees(learner)["trees"]:
        for node, start, size in zip(
            tree["categories_nodes"],
            tree["categories_segments"],
            tree["categories_sizes"],
            strict=True,
        ):
            feature = tree["split_indices"][node]
            counts[feature] = max(
                counts[feature], *(code + 1 for code in tree["categories"][start : start + size])
            )
    return counts


def _trees(learner: dict[str, Any]) -> dict[str, Any]:
    booster = learner["gradient_booster"]
    trees: dict[str, Any] = booster.get("gbtree", booster)[
        "model"
    ]  # dart has its trees one floor lower
    return trees


def _labels(encoding: dict[str, Any]) -> tuple[str, ...]:
    values = encoding.get("values", ())
    if "offsets" not in encoding:
        return tuple(map(str, values))
    text = bytes(value % 256 for value in values)
    return tuple(
        text[start:end].decode(errors="replace") for start, end in pairwise(encoding["offsets"])
    )
