"""Summarize a model for the startup log and for `check`."""

from typing import Any

from serve.model.model import Model
from serve.schema.feature import CodeFeature, Feature, LabelFeature
from serve.schema.schema import Schema


def summarize(model: Model) -> dict[str, Any]:
    """Return the model's type and origin, short enough for one log line."""
    return {
        "model": str(model.file.path),
        "format": model.file.format,
        "written_by_xgboost": ".".join(map(str, model.file.writer_version)) or None,
        "booster": model.booster_type,
        "objective": model.objective,
        "rounds": model.booster.num_boosted_rounds(),
        "rounds_used": model.rounds_used,
        "ensemble": {member.file.path.name: member.rounds_used for member in model.members},
        "features": model.schema.width,
        "libsvm_base": model.schema.libsvm_base,
        "ignored_files": model.file.ignored_files,
    }


def describe_features(schema: Schema) -> list[dict[str, Any]]:
    """Return the name, type and permitted values of each feature, in order."""
    names = schema.names or [None] * schema.width
    return [
        {"name": name, **_describe_feature(feature)}
        for name, feature in zip(names, schema.features, strict=True)
    ]


def _describe_feature(feature: Feature) -> dict[str, Any]:
    description: dict[str, Any] = {"type": feature.type, "missing": feature.may_be_missing}
    if isinstance(feature, LabelFeature):
        description["categories"] = list(feature.categories)
    if isinstance(feature, CodeFeature):
        description["codes"] = feature.code_count
    return description
