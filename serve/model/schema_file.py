"""Description: what is known of a feature, by schema.json or by the booster itself.

docs/artifact.md describes schema.json.
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

# For people and applications.
UNREAD_KEYS = ("description", "unit", "range")
LIBSVM_BASE = "libsvm_base"
FILE_KEYS = ("features", "prediction", LIBSVM_BASE)
PREDICTION_KEYS = ("name", "unit", "description", "classes")
# XGBoost's own limit: the whole numbers that a float32 holds exactly.
MOST_CODES = 1 << 24
FEATURE_TYPES = ("float", "int", "q", "i", "c")


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """What schema.json says: of each feature, in order, and of the model as a whole; None stands for nothing said."""

    features: list["Description"]
    libsvm_base: int | None = None
    classes: tuple[str | int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of one feature; a default stands for nothing known."""

    name: str | None = None
    type: str | None = None
    categories: tuple[str, ...] = ()
    codes: int = 0
    missing: bool = True


def read_schema(path: Path) -> SchemaFile | None:
    """Return what schema.json says, or None if there is none; raises BadArtifact."""
    if not path.exists() and not path.is_symlink():
        return None
    try:
        document = json.loads(path.read_bytes())
        descriptions = [
            _description(place, feature) for place, feature in enumerate(document["features"], 1)
        ]
        _check_keys(document)
        libsvm_base, classes = _libsvm_base(document), _classes(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadArtifact(
            f'{path}: expected an object with "features", a list of objects'
        ) from error
    except (ValueError, OSError, RecursionError) as error:
        raise BadArtifact(f"{path}: {error}") from error
    names = [each.name for each in descriptions if each.name is not None]
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise BadArtifact(f"{path}: several features are called {listed(repeated)}")
    return SchemaFile(descriptions, libsvm_base, classes)


def _check_keys(document: dict[str, Any]) -> None:
    """Raise ValueError for a key that looks like one of the file's own: misspelt, it would do nothing in silence."""
    for key in document:
        if key not in FILE_KEYS and (alike := get_close_matches(key.lower(), FILE_KEYS, 1)):
            raise ValueError(f'unknown key {quoted(key)}: did you mean "{alike[0]}"?')


def _libsvm_base(document: dict[str, Any]) -> int | None:
    """Return the index of the first feature in text/libsvm."""
    base = document.get(LIBSVM_BASE)
    if base is None or (type(base) is int and base in (0, 1)):
        return base
    raise ValueError(f'"{LIBSVM_BASE}": expected 0 or 1, got {quoted(base)}')


def _classes(document: dict[str, Any]) -> tuple[str | int, ...] | None:
    """Return the classes of a classifier, in order."""
    prediction = document.get("prediction") or {}
    if not isinstance(prediction, dict):
        raise ValueError(f'"prediction": expected an object, got {quoted(prediction)}')  # noqa: TRY004 - a fault of the file, as the others
    for key in prediction:
        if key not in PREDICTION_KEYS:
            raise ValueError(f'"prediction": {_unknown(key, PREDICTION_KEYS)}')
    classes = prediction.get("classes")
    if classes is None:
        return None
    if (
        not isinstance(classes, list)
        or any(type(label) not in (str, int) for label in classes)
        or _has_twins(classes)
    ):
        raise ValueError(
            f'"prediction": "classes": expected a list of different strings or whole numbers, got {quoted(classes)}'
        )
    return tuple(classes)


def _description(place: int, feature: dict[str, Any]) -> Description:
    for key in feature.keys():  # noqa: SIM118  # what is no object has no keys
        if key not in KEYS and key not in UNREAD_KEYS:
            raise ValueError(f"feature {place}: {_unknown(key, [*KEYS, *UNREAD_KEYS])}")
    for key, (expected, fits) in KEYS.items():
        if key in feature and not fits(feature[key]):
            raise ValueError(
                f'feature {place}: "{key}": expected {expected}, got {quoted(feature[key])}'
            )
    known = {key: feature[key] for key in KEYS if key in feature}
    return Description(**{**known, "categories": tuple(known.get("categories", ()))})


def _unknown(key: str, known: Sequence[str]) -> str:
    alike = get_close_matches(key, known, 1)
    return f"unknown key {quoted(key)}: " + (
        f'did you mean "{alike[0]}"?' if alike else f"expected {listed(known)}"
    )


def _are_labels(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(label, str) for label in value)
        and not _has_twins(value)
    )


def _has_twins(labels: list[Any]) -> bool:
    return len(set(labels)) < len(labels)


KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("a string", lambda value: isinstance(value, str)),
    "type": (f"one of {listed(FEATURE_TYPES)}", lambda value: value in FEATURE_TYPES),
    "categories": ("a list of different strings, in the order of their codes", _are_labels),
    "codes": (
        f"the number of codes, up to {MOST_CODES:,}",
        lambda value: type(value) is int and 0 < value <= MOST_CODES,
    ),
    "missing": ("true or false", lambda value: isinstance(value, bool)),
}
