"""Read the names, types and categories of the features that are stored in a booster."""

import json
from collections.abc import Sequence

import xgboost

from serve.errors import BadArtifact
from serve.model.categories import count_codes, read_labels
from serve.model.schema_file import FeatureInfo
from serve.text import counted


def read_features(booster: xgboost.Booster, *, may_have_categories: bool) -> list[FeatureInfo]:
    """Return the booster's features in order.

    A booster without feature types may still have categorical features. Finding their categories
    requires a copy of the model as JSON, which is made only if ``may_have_categories`` is true.
    """
    count = booster.num_features()
    names: Sequence[str | None] = booster.feature_names or [None] * count
    types: Sequence[str | None] = booster.feature_types or [None] * count
    if {len(names), len(types)} != {count}:
        raise BadArtifact(
            f"the model has {counted(count, 'feature')}, but {len(names):,} feature names "
            f"and {len(types):,} feature types: save it again with as many of each"
        )
    if "c" not in types and not may_have_categories:
        return [FeatureInfo(name, type_) for name, type_ in zip(names, types, strict=True)]
    learner = json.loads(booster.save_raw("json"))["learner"]
    labels, code_counts = read_labels(learner, count), count_codes(learner, count)
    return [
        FeatureInfo(*properties)
        for properties in zip(names, types, labels, code_counts, strict=True)
    ]
