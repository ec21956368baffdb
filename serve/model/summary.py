"""Summarize a model for the startup log and for `check`."""

import math
from typing import Any

from serve.model.model import Model
from serve.model.schema_json.keys import MISSING_VALUE
from serve.schema.feature import CodeFeature, Feature
from serve.schema.label_feature import LabelFeature
from serve.schema.schema import Schema
from serve.text import column_label, printable

BINARY_PREFIX = "binary:"


def summarize(model: Model) -> dict[str, Any]:
    """Return the model's type and origin, short enough for one log line."""
    return {
        "model": printable(model.file.path),
        "format": model.file.format,
        "written_by_xgboost": ".".join(map(str, model.file.writer_version)) or None,
        "booster": model.booster_type,
        "objective": model.objective,
        "rounds": model.booster.num_boosted_rounds(),
        "rounds_used": model.rounds_used,
        "ensemble": {printable(member.file.name): member.rounds_used for member in model.members},
        "predictor": model.predictor_name,
        **_count_classes(model),
        "features": model.schema.width,
        "libsvm_base": model.schema.libsvm_base,
        **_describe_missing_values(model.schema),
        **_list_ignored_columns(model.schema),
        "ignored_files": model.file.ignored_files,
        **_count_ignored_files(model),
    }


def _count_classes(model: Model) -> dict[str, int]:
    """Return the number of classes if the objective has classes."""
    count = 2 if model.objective.startswith(BINARY_PREFIX) else model.class_count
    return {"class_count": count} if count > 1 else {}


def _describe_missing_values(schema: Schema) -> dict[str, Any]:
    """Return the ``missing_value`` of all columns, or of each column that has one, if any does."""
    values = {
        column_label(schema.names, index): feature.missing_value
        for index, feature in enumerate(schema.features)
        if not math.isnan(feature.missing_value)
    }
    if not values:
        return {}
    is_shared = len(values) == schema.width and len(set(values.values())) == 1
    return {MISSING_VALUE: next(iter(values.values())) if is_shared else values}


def _list_ignored_columns(schema: Schema) -> dict[str, list[str]]:
    return {"ignored_columns": sorted(schema.ignored)} if schema.ignored else {}


def _count_ignored_files(model: Model) -> dict[str, int]:
    """Return the number of ignored files if not all of them are listed."""
    count = model.file.ignored_file_count
    return {"ignored_file_count": count} if count > len(model.file.ignored_files) else {}


def describe_features(schema: Schema) -> list[dict[str, Any]]:
    """Return the name, type and permitted values of each feature, in order."""
    names = schema.names or [None] * schema.width
    return [
        {"name": name, **_describe_feature(feature)}
        for name, feature in zip(names, schema.features, strict=True)
    ]


def _describe_feature(feature: Feature) -> dict[str, Any]:
    description: dict[str, Any] = {"type": feature.type, "missing": feature.may_be_missing}
    if not math.isnan(feature.missing_value):
        description[MISSING_VALUE] = feature.missing_value
    if isinstance(feature, LabelFeature):
        description["categories"] = list(feature.categories)
    if isinstance(feature, CodeFeature):
        description["codes"] = feature.code_count
    return description
