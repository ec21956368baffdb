"""Read what a booster knows about its features: names, types, categories, and kinds of splits."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import xgboost

from serve.errors import BadArtifact
from serve.model.categories import Splits, read_labels, read_splits
from serve.model.schema_json.label_traces import LabelTraces
from serve.text import counted

# The key of a tree's categorical splits in a UBJSON model, and a length other than zero.
CATEGORICAL_SPLITS = re.compile(rb"categories_nodes\[\$.#L(?!\0{8})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BoosterFeature:
    """A feature as the booster knows it; None and an empty tuple mean unknown.

    ``labels`` are the categories in the order of their codes, or LabelTraces if they may be
    truncated.
    """

    name: str | None = None
    type: str | None = None
    labels: tuple[str, ...] | LabelTraces = ()
    splits: Splits = Splits()

    @property
    def whole_labels(self) -> tuple[str, ...]:
        return () if isinstance(self.labels, LabelTraces) else self.labels


def read_features(
    booster: xgboost.Booster, writer_version: tuple[int, ...], *, may_have_categories: bool
) -> list[BoosterFeature]:
    """Return the booster's features in order.

    Their categories and splits require a copy of the model as JSON. It is made only if a feature
    is categorical, by its type or by a split, or if ``may_have_categories`` is true.
    """
    count = booster.num_features()
    names: Sequence[str | None] = booster.feature_names or [None] * count
    types: Sequence[str | None] = booster.feature_types or [None] * count
    if {len(names), len(types)} != {count}:
        raise BadArtifact(
            f"the model has {counted(count, 'feature')}, but {len(names):,} feature names "
            f"and {len(types):,} feature types: save it again with as many of each"
        )
    is_categorical = may_have_categories or "c" in types
    if not is_categorical and not (None in types and _splits_by_category(booster)):
        return [BoosterFeature(name, type_) for name, type_ in zip(names, types, strict=True)]
    learner = json.loads(booster.save_raw("json"))["learner"]
    labels = [
        _decode_whole_labels(traces, writer_version) for traces in read_labels(learner, count)
    ]
    splits = read_splits(learner, count)
    return [
        BoosterFeature(name, type_ or _find_type(own_labels, own_splits), own_labels, own_splits)
        for name, type_, own_labels, own_splits in zip(names, types, labels, splits, strict=True)
    ]


def _splits_by_category(booster: xgboost.Booster) -> bool:
    return CATEGORICAL_SPLITS.search(booster.save_raw("ubj")) is not None


def _decode_whole_labels(
    labels: tuple[str, ...] | LabelTraces, writer_version: tuple[int, ...]
) -> tuple[str, ...] | LabelTraces:
    if isinstance(labels, LabelTraces) and not labels.may_be_truncated(writer_version):
        return labels.decode()
    return labels


def _find_type(labels: tuple[str, ...] | LabelTraces, splits: Splits) -> str | None:
    """Return the type of a feature whose type is not saved, if the rest of the model shows it."""
    return "c" if labels or splits.code_count else None
