"""Description: what is known of a feature, by schema.json or by the booster itself.

docs/artefact.md describes schema.json.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serve.errors import BadArtefact
from serve.wording import listed, quoted

FEATURE_TYPES = ("float", "int", "q", "i", "c")


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of one feature; a default stands for nothing known."""

    name: str | None = None
    type: str | None = None
    categories: tuple[str, ...] = ()
    codes: int = 0
    missing: bool = True


def read_schema(path: Path) -> list[Description] | None:
    """Return what schema.json says of the features, in order, or None if there is none; raises BadArtefact."""
    if not path.exists():
        return None
    try:
        features = json.loads(path.read_bytes())["features"]
        return [_description(place, feature) for place, feature in enumerate(features, 1)]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadArtefact(f'{path}: expected an object with "features", a list of objects') from error
    except ValueError as error:
        raise BadArtefact(f"{path}: {error}") from error


def _description(place: int, feature: dict[str, Any]) -> Description:
    for key, (expected, fits) in KEYS.items():
        if key in feature and not fits(feature[key]):
            raise ValueError(f'feature {place}: "{key}": expected {expected}, got {quoted(feature[key])}')
    known = {key: feature[key] for key in KEYS if key in feature}
    return Description(**{**known, "categories": tuple(known.get("categories", ()))})


def _are_labels(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(label, str) for label in value) and len(set(value)) == len(value)


KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("a string", lambda value: isinstance(value, str)),
    "type": (f"one of {listed(FEATURE_TYPES)}", lambda value: value in FEATURE_TYPES),
    "categories": ("a list of different strings, in the order of their codes", _are_labels),
    "codes": ("the number of codes", lambda value: type(value) is int and value > 0),
    "missing": ("true or false", lambda value: isinstance(value, bool)),
}
