"""What schema.json says to people: the features with their meaning, and what a prediction is."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHOLE_TYPES = ("int", "c")


class BadSchema(Exception):
    """There is no form to be made of this artifact."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the model; ``named`` is false where the schema does not name it."""

    name: str
    type: str
    named: bool
    label: str
    unit: str
    categories: tuple[str, ...]
    range: tuple[float, float] | None
    missing: bool

    @property
    def whole(self) -> bool:
        return self.type in WHOLE_TYPES

    @property
    def options(self) -> tuple[str, ...]:
        """Return what a person may choose between; empty for a number."""
        return ("no", "yes") if self.type == "i" else self.categories


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a prediction means; ``classes`` are in the order of a reply's values."""

    name: str
    unit: str
    description: str
    classes: tuple[str, ...]

    @property
    def title(self) -> str:
        return sentence(self.description or self.name)


@dataclass(frozen=True, slots=True)
class Schema:
    """The features in the order of training, and the prediction."""

    features: tuple[Feature, ...]
    prediction: Prediction

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]


def load(folder: Path) -> Schema:
    """Read the schema.json of an artifact; raises BadSchema."""
    path = folder / "schema.json"
    if not folder.is_dir():
        raise BadSchema(
            f"{folder} is no folder: FOLDER= names that of the model and its schema.json"
        )
    try:
        document = json.loads(path.read_bytes())
        features = tuple(_feature(place, each) for place, each in enumerate(document["features"]))
        prediction = _prediction(document.get("prediction") or {})
    except FileNotFoundError as error:
        raise BadSchema(
            f"{path} is not there, and the form is made from it: docs/artifact.md says how to write one"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadSchema(
            f"{path}: expected a schema as in docs/artifact.md ({type(error).__name__}: {error})"
        ) from error
    if not features:
        raise BadSchema(f'{path}: "features" is empty')
    return Schema(features, prediction)


def sentence(words: str) -> str:
    """Begin with a capital letter."""
    return words[:1].upper() + words[1:]


def _feature(place: int, entry: dict[str, Any]) -> Feature:
    name = entry.get("name", f"f{place}")
    low, high = entry.get("range") or (None, None)
    return Feature(
        name=name,
        type=entry.get("type", "float"),
        named="name" in entry,
        label=sentence(entry.get("description") or name),
        unit=entry.get("unit", ""),
        categories=tuple(entry.get("categories", ())),
        range=None if low is None or high is None else (float(low), float(high)),
        missing=entry.get("missing", True),
    )


def _prediction(entry: dict[str, Any]) -> Prediction:
    classes = tuple(str(label) for label in entry.get("classes", ()))
    return Prediction(
        entry.get("name", "prediction"),
        entry.get("unit", ""),
        entry.get("description", ""),
        classes,
    )
