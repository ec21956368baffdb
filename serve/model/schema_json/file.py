"""Read schema.json, which holds what training knew and no model file contains.

docs/artifact.md documents the file.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from serve.diagnosis.invalid_json_file import describe_invalid_json_file
from serve.errors import BadArtifact
from serve.model.files.reading import MAX_SCHEMA_BYTES, read_file
from serve.model.schema_json.keys import (
    CLASSES,
    FEATURE_KEYS,
    FEATURES,
    FILE_KEYS,
    IGNORE,
    LIBSVM_BASE,
    MISSING_VALUE,
    PREDICTION,
    PREDICTION_KEYS,
    THRESHOLD,
    check_keys,
)
from serve.text import listed, quoted


class SchemaConflict(ValueError):
    """A schema.json that contradicts the model; the message follows the path of the file."""


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """The contents of schema.json; None means that the file does not say."""

    features: list["FeatureInfo"] | None = None
    libsvm_base: int | None = None
    classes: tuple[str | int, ...] | None = None
    missing_value: float | None = None
    threshold: float | None = None
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    """A feature as described by schema.json or the booster.

    A default means unknown, except that a value may be missing by default. A ``missing_value`` of
    NaN means that no number is a missing value.
    """

    name: str | None = None
    type: str | None = None
    categories: tuple[str, ...] = ()
    codes: int = 0
    missing: bool = True
    missing_value: float | None = None


def read_schema_file(path: Path) -> SchemaFile | None:
    """Return the contents of schema.json, or None if the file does not exist.

    Raises BadArtifact for an invalid file.
    """
    if not path.exists() and not path.is_symlink():
        return None
    content = read_file(path, MAX_SCHEMA_BYTES)
    try:
        return _parse_document(_parse_json(content))
    except (ValueError, RecursionError) as error:
        raise BadArtifact(f"{path}: {error}") from error


def _parse_json(content: bytes) -> Any:
    """Return the document in a file; raises ValueError with a hint if it is not valid JSON."""
    try:
        return json.loads(content, object_pairs_hook=_build_object, parse_constant=_reject_constant)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(describe_invalid_json_file(content, error)) from error


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = Counter(name for name, _ in pairs)
    if repeated := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"duplicate key: {listed(repeated)}")
    return dict(pairs)


def _reject_constant(name: str) -> NoReturn:
    hint = "NaN is always a missing value" if name == "NaN" else "write a finite number"
    raise ValueError(f"invalid JSON: expected JSON, which has no {name}; {hint}")


def _parse_document(document: Any) -> SchemaFile:
    if not isinstance(document, dict):
        raise ValueError(  # noqa: TRY004 - an invalid file, like the others
            f'expected an object with "{FEATURES}", a list of objects, such as '
            f'{{"{FEATURES}": [{{"name": "age"}}]}}, got {quoted(document)}'
        )
    check_keys(document, FILE_KEYS, "")
    prediction = document.get(PREDICTION, {})
    check_keys(prediction, PREDICTION_KEYS, f'"{PREDICTION}": ')
    classes = prediction.get(CLASSES)
    features = None
    if FEATURES in document:
        features = [
            _parse_feature(number, feature) for number, feature in enumerate(document[FEATURES], 1)
        ]
        _check_names(features)
    return SchemaFile(
        features,
        document.get(LIBSVM_BASE),
        None if classes is None else tuple(classes),
        _parse_missing_value(document),
        prediction.get(THRESHOLD),
        tuple(document.get(IGNORE, ())),
    )


def _parse_feature(number: int, feature: dict[str, Any]) -> FeatureInfo:
    check_keys(feature, FEATURE_KEYS, f"feature {number}: ")
    return FeatureInfo(
        feature.get("name"),
        feature.get("type"),
        tuple(feature.get("categories", ())),
        feature.get("codes", 0),
        feature.get("missing", True),
        _parse_missing_value(feature),
    )


def _parse_missing_value(document: dict[str, Any]) -> float | None:
    value: float | None = document.get(MISSING_VALUE)
    return math.nan if MISSING_VALUE in document and value is None else value


def _check_names(features: list[FeatureInfo]) -> None:
    names = Counter(feature.name for feature in features if feature.name is not None)
    if repeated := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"duplicate feature names: {listed(repeated)}")
