"""Reject an ensemble whose members differ in their inputs, their outputs or their schema.json."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn

import xgboost

from serve.errors import BadArtifact
from serve.model.artifact import ModelFile
from serve.model.classes import DEFAULT_THRESHOLD
from serve.model.estimator import read_estimator
from serve.model.files.names import SCHEMA_NAME
from serve.model.files.reading import MAX_SCHEMA_BYTES, read_file
from serve.model.schema_json.conflicts import NUMERIC_TYPES
from serve.model.schema_json.keys import (
    CLASSES,
    FEATURES,
    IGNORE,
    LIBSVM_BASE,
    MISSING_VALUE,
    PREDICTION,
    THRESHOLD,
)
from serve.schema.feature import CodeFeature, Feature
from serve.schema.label_feature import LabelFeature
from serve.schema.schema import Schema
from serve.text import printable, quoted, shortened

# Properties by their names in messages.
Properties = Mapping[str, object]
NAMES = "column names"
MAX_NAMED_DIFFERENCES = 4


class Member(NamedTuple):
    """A member of an ensemble: its file and its properties.

    ``optional`` are those that schema.json need not state. They differ only if both members have
    them.
    """

    file: ModelFile
    required: Properties
    optional: Properties


def check_members_agree(members: Sequence[Member]) -> None:
    """Raise BadArtifact, with what differs, if the properties of the members differ."""
    known: dict[str, tuple[ModelFile, object]] = {}
    for file, required, optional in members:
        stated = {name: value for name, value in optional.items() if value is not None}
        properties = {**required, **stated}
        differences = [
            name
            for name, value in properties.items()
            if known.setdefault(name, (file, value))[1] != value
        ]
        if differences:
            other, value = known[differences[0]]
            _reject(differences, other, value, file, properties[differences[0]])


def list_schema_properties(schema: Schema) -> Properties:
    """Return what decides in a schema how requests are read."""
    properties: dict[str, object] = {NAMES: schema.names and list(schema.names)}
    for number, feature in enumerate(schema.features, 1):
        for name, value in _list_feature_properties(feature).items():
            properties[f"{name}, column {number}"] = value
    properties[f'"{LIBSVM_BASE}"'] = schema.libsvm_base
    properties[f'"{IGNORE}"'] = sorted(schema.ignored)
    return properties


def list_stated_properties(file: ModelFile, booster: xgboost.Booster) -> Properties:
    """Return what schema.json, or else the estimator, states about the meaning of the numbers."""
    document = json.loads(read_file(file.schema, MAX_SCHEMA_BYTES)) if file.schema else {}
    prediction = document.get(PREDICTION, {})
    classes = prediction.get(CLASSES) or read_estimator(booster).classes
    threshold = prediction.get(THRESHOLD, DEFAULT_THRESHOLD if classes else None)
    return {
        f'"{PREDICTION}": "{CLASSES}"': list(classes) if classes else None,
        f'"{PREDICTION}": "{THRESHOLD}"': threshold,
        f'"{PREDICTION}": "name"': prediction.get("name"),
        f'"{PREDICTION}": "unit"': prediction.get("unit"),
        **{
            f'"unit", column {number}': feature.get("unit")
            for number, feature in enumerate(document.get(FEATURES, ()), 1)
        },
    }


def _list_feature_properties(feature: Feature) -> Properties:
    """Return the properties of a column; all types of numbers count as the same."""
    missing_value = feature.missing_value
    return {
        "column types": "number" if feature.type in NUMERIC_TYPES else feature.type,
        '"missing"': feature.may_be_missing,
        f'"{MISSING_VALUE}"': None if math.isnan(missing_value) else missing_value,
        '"categories"': list(feature.categories) if isinstance(feature, LabelFeature) else None,
        '"codes"': feature.code_count if isinstance(feature, CodeFeature) else None,
    }


def _reject(
    names: Sequence[str], first: ModelFile, value: object, second: ModelFile, other: object
) -> NoReturn:
    name, *others = names
    if name == NAMES and isinstance(value, list) and isinstance(other, list):
        pairs = enumerate(zip(value, other, strict=True), 1)
        number, (value, other) = next(item for item in pairs if item[1][0] != item[1][1])
        name = f"{name}, column {number}"
    raise BadArtifact(
        f"the models of an ensemble differ in {name}: "
        f"{printable(first.path)} has {_show(value)}, {printable(second.path)} has {_show(other)}"
        f"{_list_further(others)}; {_suggest(name, first, second)}"
    )


def _list_further(names: Sequence[str]) -> str:
    """Return the names of further differences, in parentheses."""
    return f" (also in {shortened(names, MAX_NAMED_DIFFERENCES)})" if names else ""


def _show(value: object) -> str:
    return "none" if value is None else quoted(value)


def _suggest(name: str, first: ModelFile, second: ModelFile) -> str:
    remove = "remove the model that does not belong to the ensemble"
    if name.startswith('"codes"'):
        return f'set "codes" in {SCHEMA_NAME} to the number of categories in training, or {remove}'
    if first.schema == second.schema or not _is_in_schema(name):
        return remove
    files = " and ".join(printable(file.schema) for file in (first, second) if file.schema)
    if not (first.schema and second.schema):
        files = f"{files}, and add one beside the other model"
    return f"correct {files}, or {remove}"


def _is_in_schema(name: str) -> bool:
    return name.startswith((NAMES, "column types", '"'))
