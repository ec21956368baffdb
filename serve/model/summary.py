"""Facts: what there is to tell of a model, at the start and in a check."""

from typing import Any

from serve.model.model import Model
from serve.schema.feature import CodeFeature, Feature, LabelFeature
from serve.schema.schema import Schema


def summarize(model: Model) -> dict[str, Any]:
    """Return what kind of model it is and where it came from, short enough for one line of a log."""
    trees = model.booster.num_boosted_rounds()
    return {
        "model": str(model.file.path),
        "format": model.file.format,
        "written_by_xgboost": ".".join(map(str, model.file.writer)) or None,
        "booster": model.kind,
        "objective": model.objective,
        "rounds": trees,
        "rounds_that_predict": model.rounds,
        "ensemble": {each.file.path.name: each.rounds for each in model.members},
        "features": model.schema.width,
        "libsvm_base": model.schema.libsvm_base,
        "ignored_files": model.file.ignored,
    }


def describe_features(schema: Schema) -> list[dict[str, Any]]:
    """Return what each feature takes, in order."""
    names = schema.names or [None] * schema.width
    return [
        {"name": name, **_described(feature)}
        for name, feature in zip(names, schema.features, strict=True)
    ]


def _described(feature: Feature) -> dict[str, Any]:
    known: dict[str, Any] = {"type": feature.type, "missing": feature.may_be_missing}
    if isinstance(feature, LabelFeature):
        known["categories"] = list(feature.categories)
    if isinstance(feature, CodeFeature):
        known["codes"] = feature.code_count
    return known
