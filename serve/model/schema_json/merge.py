"""Combine the booster's own features with schema.json into the schema of the model."""

from collections.abc import Sequence

import xgboost

from serve.column_names import match_names, strip_blanks
from serve.model.booster_features import BoosterFeature, read_features
from serve.model.estimator import Estimator
from serve.model.schema_json.conflicts import check_feature, check_names
from serve.model.schema_json.file import FeatureInfo, SchemaConflict, SchemaFile
from serve.model.schema_json.keys import IGNORE, LIBSVM_BASE, MAX_CODES
from serve.schema.feature import CodeFeature, Feature
from serve.schema.label_feature import LabelFeature
from serve.schema.schema import Schema
from serve.settings import Settings
from serve.text import quoted

EMPTY_FILE = SchemaFile()


def merge_schema(
    booster: xgboost.Booster,
    writer_version: tuple[int, ...],
    schema_file: SchemaFile | None,
    estimator: Estimator,
    settings: Settings,
) -> Schema:
    """Return the schema of the model: schema.json where it says something, otherwise the booster.

    Raises SchemaConflict if the booster and schema.json contradict each other.
    """
    schema_file = schema_file or EMPTY_FILE
    has_categories = any(
        feature.type == "c" or feature.categories or feature.codes
        for feature in schema_file.features or ()
    )
    in_booster = read_features(booster, writer_version, may_have_categories=has_categories)
    features = _merge_features(in_booster, schema_file, estimator)
    names = _list_names(features)
    unknown_is_missing = settings.unknown_category == "missing"
    return Schema(
        tuple(_build_feature(feature, unknown_is_missing) for feature in features),
        names,
        _choose_libsvm_base(schema_file, settings.libsvm_base),
        _list_ignored(schema_file, names),
    )


def _merge_features(
    booster_features: Sequence[BoosterFeature], schema_file: SchemaFile, estimator: Estimator
) -> list[FeatureInfo]:
    """Return each feature with its properties from both the booster and schema.json."""
    file_features = schema_file.features
    if file_features is None:
        file_features = [FeatureInfo()] * len(booster_features)
    names = [feature.name for feature in file_features]
    check_names(names, [feature.name for feature in booster_features])
    merged = []
    for number, (in_file, in_booster) in enumerate(
        zip(file_features, booster_features, strict=True), 1
    ):
        merged.append(_complete(in_file, in_booster, schema_file, estimator))
        check_feature(number, in_file, in_booster, merged[-1], estimator)
    return merged


def _complete(
    in_file: FeatureInfo, in_booster: BoosterFeature, schema_file: SchemaFile, estimator: Estimator
) -> FeatureInfo:
    """Return a feature of schema.json, with missing properties added from elsewhere."""
    missing_values = (in_file.missing_value, schema_file.missing_value, estimator.missing_value)
    return FeatureInfo(
        in_file.name or in_booster.name,
        in_file.type or in_booster.type,
        in_file.categories or in_booster.whole_labels,
        in_file.codes or in_booster.splits.code_count,
        in_file.missing,
        next((value for value in missing_values if value is not None), None),
    )


def _list_names(features: Sequence[FeatureInfo]) -> tuple[str, ...] | None:
    """Return the names of all features, or None if they have none."""
    names = tuple(feature.name for feature in features if feature.name is not None)
    if len(names) in (0, len(features)):
        return names or None
    unnamed = next(number for number, feature in enumerate(features, 1) if feature.name is None)
    raise SchemaConflict(f'feature {unnamed}: expected a "name", as for other features')


def _list_ignored(schema_file: SchemaFile, names: tuple[str, ...] | None) -> frozenset[str]:
    """Return the ignored names; raises SchemaConflict if the model needs such a column."""
    ignored = frozenset(map(strip_blanks, schema_file.ignored))
    if ignored and names is None:
        raise SchemaConflict(f'"{IGNORE}": columns are ignored by name, but the model has no names')
    for name in match_names(schema_file.ignored, names or ()):
        if names and name in names:
            raise SchemaConflict(f'"{IGNORE}": {quoted(name)} is a column of the model')
    return ignored


def _build_feature(info: FeatureInfo, unknown_is_missing: bool) -> Feature:  # noqa: FBT001
    missing_value = float("nan") if info.missing_value is None else info.missing_value
    if info.type != "c":
        return Feature(info.type or "q", info.missing, missing_value)
    properties = ("c", info.missing, missing_value)
    if info.categories:
        return LabelFeature(*properties, info.categories, unknown_is_missing)
    # If no tree splits on the feature, the booster implies no limit for its codes.
    return CodeFeature(*properties, info.codes or MAX_CODES, unknown_is_missing)


def _choose_libsvm_base(schema_file: SchemaFile, setting: int | None) -> int:
    """Return the index of the first feature in text/libsvm, by default 0.

    Raises SchemaConflict if schema.json and the setting are both present and differ.
    """
    in_file = schema_file.libsvm_base
    if in_file is not None and setting is not None and in_file != setting:
        raise SchemaConflict(
            f'has "{LIBSVM_BASE}": {in_file}, but SERVE_LIBSVM_BASE is {setting}: '
            "remove one of them"
        )
    return in_file or setting or 0
