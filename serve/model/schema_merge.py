"""Combine the booster's own features with schema.json into the schema of the model.

Where the two contradict each other, the model is rejected.
"""

from collections.abc import Sequence
from dataclasses import replace

import xgboost

from serve.errors import BadArtifact
from serve.model.artifact import SCHEMA_NAME
from serve.model.booster_features import read_features
from serve.model.categories import FIRST_VERSION_WITH_WHOLE_LABELS, may_be_truncated
from serve.model.schema_file import LIBSVM_BASE, MAX_CODES, FeatureInfo, SchemaFile
from serve.schema.feature import CodeFeature, Feature, LabelFeature
from serve.schema.schema import Schema
from serve.settings import Settings
from serve.text import counted, listed, quoted

NUMERIC_TYPES = {"float", "int", "q"}


def merge_schema(
    booster: xgboost.Booster,
    writer_version: tuple[int, ...],
    schema_file: SchemaFile | None,
    settings: Settings,
) -> Schema:
    """Return the schema of the model: schema.json where it says something, otherwise the booster.

    Raises BadArtifact if the booster and schema.json contradict each other.
    """
    in_file = schema_file.features if schema_file else None
    has_categories = any(feature.type == "c" for feature in in_file or ())
    in_booster = read_features(booster, may_have_categories=has_categories)
    features = _merge_features(in_booster, in_file, writer_version)
    unknown_is_missing = settings.unknown_category == "missing"
    return Schema(
        tuple(_build_feature(feature, unknown_is_missing) for feature in features),
        _list_names(features),
        _choose_libsvm_base(schema_file, settings.libsvm_base),
    )


def check_classes(schema_file: SchemaFile | None, output_count: int) -> None:
    """Raise BadArtifact if schema.json lists more or fewer classes than the model distinguishes.

    A model with one output distinguishes two classes. The objective cannot be checked: a custom
    objective is not stored in the model.
    """
    if schema_file is None or schema_file.classes is None:
        return
    expected = max(output_count, 2)
    count = len(schema_file.classes)
    if count != expected:
        raise BadArtifact(
            f'{SCHEMA_NAME}, "prediction": "classes": expected {expected} classes '
            f"for a model with {counted(output_count, 'output')}, got {count:,}"
        )


def _merge_features(
    booster_features: list[FeatureInfo],
    file_features: list[FeatureInfo] | None,
    writer_version: tuple[int, ...],
) -> list[FeatureInfo]:
    """Return each feature with its properties from both the booster and schema.json."""
    usable_features = [_drop_truncated_labels(info, writer_version) for info in booster_features]
    if file_features is None:
        file_features = usable_features
    if len(file_features) != len(booster_features):
        raise BadArtifact(
            f"{SCHEMA_NAME} describes {counted(len(file_features), 'feature')}, but the model has "
            f"{len(booster_features):,}: describe all of them, in training order"
        )
    merged = []
    for number, (from_file, from_booster, booster_with_truncated_labels) in enumerate(
        zip(file_features, usable_features, booster_features, strict=True), 1
    ):
        _check_agreement(number, from_file, from_booster)
        merged.append(_complete(from_file, from_booster))
        _check_categories(number, merged[-1], booster_with_truncated_labels)
    return merged


def _drop_truncated_labels(feature: FeatureInfo, writer_version: tuple[int, ...]) -> FeatureInfo:
    if may_be_truncated(feature.categories, writer_version):
        return replace(feature, categories=())
    return feature


def _check_agreement(number: int, in_file: FeatureInfo, in_booster: FeatureInfo) -> None:
    """Raise BadArtifact if schema.json contradicts the booster; numeric types count as equal."""
    for key in ("name", "type", "categories"):
        expected, got = getattr(in_booster, key), getattr(in_file, key)
        if not expected or not got or expected == got:
            continue
        if key == "type" and {expected, got} <= NUMERIC_TYPES:
            continue
        raise BadArtifact(
            f'{SCHEMA_NAME}, feature {number}: "{key}": expected {_format_value(expected)} '
            f"as in the model, got {_format_value(got)}"
        )


def _complete(in_file: FeatureInfo, in_booster: FeatureInfo) -> FeatureInfo:
    """Return a feature of schema.json, with missing properties added from the booster."""
    return FeatureInfo(
        in_file.name or in_booster.name,
        in_file.type or in_booster.type,
        in_file.categories or in_booster.categories,
        in_file.codes or in_booster.codes,
        in_file.missing,
    )


def _check_categories(number: int, merged: FeatureInfo, in_booster: FeatureInfo) -> None:
    """Raise BadArtifact for categories of a numeric feature, and for too few categories.

    If a label is missing from the list, all labels after it get wrong codes, and the predictions
    are wrong without an error.
    """
    where, label_count = f"{SCHEMA_NAME}, feature {number}", len(merged.categories)
    if merged.type != "c" and (merged.categories or merged.codes):
        raise BadArtifact(
            f'{where}: "categories" and "codes" require "type": "c", '
            f"but the type is {quoted(merged.type)}"
        )
    if in_booster.categories and not merged.categories:
        first_version = ".".join(map(str, FIRST_VERSION_WITH_WHOLE_LABELS))
        raise BadArtifact(
            f"feature {number} ({quoted(merged.name)}): the model's category labels may be "
            f"truncated, because XGBoost before {first_version} truncates non-ASCII labels: "
            f'list them in {SCHEMA_NAME} as "categories", in the order of their codes'
        )
    if in_booster.categories and label_count != len(in_booster.categories):
        raise BadArtifact(
            f'{where}: "categories": expected {len(in_booster.categories):,} labels '
            f"as in the model, got {label_count:,}"
        )
    _check_code_count(where, merged, in_booster.codes)


def _check_code_count(where: str, merged: FeatureInfo, min_count: int) -> None:
    """Raise BadArtifact if the trees use a code beyond the feature's categories."""
    if (len(merged.categories) or merged.codes) >= min_count:
        return
    if merged.categories:
        key, expected, got = "categories", f"at least {min_count:,} labels", len(merged.categories)
    else:
        key, expected, got = "codes", f"at least {min_count:,}", merged.codes
    raise BadArtifact(
        f'{where}: "{key}": expected {expected} (the trees use codes up to {min_count - 1:,}), '
        f"got {got:,}: include all categories of the training data, in the order of their codes"
    )


def _list_names(features: Sequence[FeatureInfo]) -> tuple[str, ...] | None:
    """Return the names of all features, or None if any feature has no name."""
    names = tuple(feature.name for feature in features if feature.name is not None)
    return names if len(names) == len(features) else None


def _build_feature(info: FeatureInfo, unknown_is_missing: bool) -> Feature:  # noqa: FBT001
    if info.type != "c":
        return Feature(info.type or "q", info.missing)
    if info.categories:
        return LabelFeature("c", info.missing, info.categories, unknown_is_missing)
    # If no tree splits on the feature, the booster implies no limit for its codes.
    return CodeFeature("c", info.missing, info.codes or MAX_CODES, unknown_is_missing)


def _choose_libsvm_base(schema_file: SchemaFile | None, setting: int | None) -> int:
    """Return the index of the first feature in text/libsvm, by default 0.

    Raises BadArtifact if schema.json and the setting are both present and differ.
    """
    in_file = schema_file.libsvm_base if schema_file else None
    if in_file is not None and setting is not None and in_file != setting:
        raise BadArtifact(
            f'{SCHEMA_NAME} has "{LIBSVM_BASE}": {in_file}, but SERVE_LIBSVM_BASE is {setting}: '
            "remove one of them"
        )
    return in_file or setting or 0


def _format_value(value: str | tuple[str, ...]) -> str:
    return quoted(value) if isinstance(value, str) else listed(value)
