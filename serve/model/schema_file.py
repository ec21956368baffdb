"""Read schema.json, which describes the features of a model and, for a classifier, its classes.

docs/artifact.md documents the file.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from serve.errors import BadArtifact
from serve.text import listed, quoted

LIBSVM_BASE = "libsvm_base"
FILE_KEYS = ("features", "prediction", LIBSVM_BASE)
PREDICTION_KEYS = ("name", "unit", "description", "classes")
# Keys of a feature that are for people and applications; the server ignores them.
DOCUMENTATION_KEYS = ("description", "unit", "range")
FEATURE_TYPES = ("float", "int", "q", "i", "c")
# XGBoost's own limit: float32 represents every whole number up to this one.
MAX_CODES = 1 << 24


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """The contents of schema.json: the features in order, and optional properties of the model."""

    features: list["FeatureInfo"]
    libsvm_base: int | None = None
    classes: tuple[str | int, ...] | None = None


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    """A feature as described by schema.json or the booster.

    A default means unknown, except that a value may be missing by default.
    """

    name: str | None = None
    type: str | None = None
    categories: tuple[str, ...] = ()
    codes: int = 0
    missing: bool = True


def read_schema_file(path: Path) -> SchemaFile | None:
    """Return the contents of schema.json, or None if the file does not exist.

    Raises BadArtifact for an invalid file.
    """
    if not path.exists() and not path.is_symlink():
        return None
    try:
        document = json.loads(path.read_bytes())
        features = [
            _parse_feature(number, feature)
            for number, feature in enumerate(document["features"], 1)
        ]
        _check_keys(document)
        libsvm_base, classes = _parse_libsvm_base(document), _parse_classes(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadArtifact(
            f'{path}: expected an object with "features", a list of objects'
        ) from error
    except (ValueError, OSError, RecursionError) as error:
        raise BadArtifact(f"{path}: {error}") from error
    names = Counter(feature.name for feature in features if feature.name is not None)
    if repeated := [name for name, count in names.items() if count > 1]:
        raise BadArtifact(f"{path}: duplicate feature names: {listed(repeated)}")
    return SchemaFile(features, libsvm_base, classes)


def _check_keys(document: dict[str, Any]) -> None:
    """Raise ValueError for a key that looks misspelled, because the server would ignore it."""
    for key in document:
        if key not in FILE_KEYS and (similar := get_close_matches(key.lower(), FILE_KEYS, 1)):
            raise ValueError(f'unknown key {quoted(key)}: did you mean "{similar[0]}"?')


def _parse_libsvm_base(document: dict[str, Any]) -> int | None:
    """Return the index of the first feature in text/libsvm."""
    base = document.get(LIBSVM_BASE)
    if base is None or (type(base) is int and base in (0, 1)):
        return base
    raise ValueError(f'"{LIBSVM_BASE}": expected 0 or 1, got {quoted(base)}')


def _parse_classes(document: dict[str, Any]) -> tuple[str | int, ...] | None:
    """Return the classes of a classifier, in the order of its outputs."""
    prediction = document.get("prediction") or {}
    if not isinstance(prediction, dict):
        raise ValueError(f'"prediction": expected an object, got {quoted(prediction)}')  # noqa: TRY004 - an invalid file, like the others
    for key in prediction:
        if key not in PREDICTION_KEYS:
            raise ValueError(f'"prediction": {_describe_unknown_key(key, PREDICTION_KEYS)}')
    classes = prediction.get("classes")
    if classes is None:
        return None
    if not _are_classes(classes):
        raise ValueError(
            '"prediction": "classes": expected a list of unique strings or whole numbers, '
            f"got {quoted(classes)}"
        )
    return tuple(classes)


def _parse_feature(number: int, feature: dict[str, Any]) -> FeatureInfo:
    for key in feature.keys():  # noqa: SIM118  # raises AttributeError if it is not an object
        if key not in FEATURE_KEYS and key not in DOCUMENTATION_KEYS:
            known_keys = [*FEATURE_KEYS, *DOCUMENTATION_KEYS]
            raise ValueError(f"feature {number}: {_describe_unknown_key(key, known_keys)}")
    for key, (expected, is_valid) in FEATURE_KEYS.items():
        if key in feature and not is_valid(feature[key]):
            raise ValueError(
                f'feature {number}: "{key}": expected {expected}, got {quoted(feature[key])}'
            )
    values = {key: feature[key] for key in FEATURE_KEYS if key in feature}
    values["categories"] = tuple(values.get("categories", ()))
    return FeatureInfo(**values)


def _describe_unknown_key(key: str, known_keys: Sequence[str]) -> str:
    similar = get_close_matches(key, known_keys, 1)
    hint = f'did you mean "{similar[0]}"?' if similar else f"expected {listed(known_keys)}"
    return f"unknown key {quoted(key)}: {hint}"


def _are_classes(value: Any) -> bool:
    if not isinstance(value, list) or any(type(label) not in (str, int) for label in value):
        return False
    return not _has_duplicates(value)


def _are_labels(value: Any) -> bool:
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        return False
    return not _has_duplicates(value)


def _has_duplicates(labels: list[Any]) -> bool:
    return len(set(labels)) < len(labels)


# The keys of a feature, each with its expected value and the check for it.
FEATURE_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("a string", lambda value: isinstance(value, str)),
    "type": (f"one of {listed(FEATURE_TYPES)}", lambda value: value in FEATURE_TYPES),
    "categories": ("a list of unique strings, in the order of their codes", _are_labels),
    "codes": (
        f"the number of codes, from 1 to {MAX_CODES:,}",
        lambda value: type(value) is int and 0 < value <= MAX_CODES,
    ),
    "missing": ("true or false", lambda value: isinstance(value, bool)),
}
