"""The features and the target as a person sees them: labels, units, ranges, categories, classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_test.app.artifact_files import find_schema
from local_test.app.schema_document import BadSchema, load_document

WHOLE_TYPES = ("int", "c")
INDICATOR_TYPE = "i"


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the model, ``number`` from 1; ``named`` is false if the model has no names."""

    number: int
    name: str
    type: str
    named: bool
    label: str
    unit: str
    categories: tuple[str, ...]
    range: tuple[float, float] | None
    missing: bool

    @property
    def is_whole(self) -> bool:
        return self.type in WHOLE_TYPES

    @property
    def options(self) -> tuple[str, ...]:
        """Return the values to choose from; empty for a number."""
        return ("no", "yes") if self.type == INDICATOR_TYPE else self.categories


@dataclass(frozen=True, slots=True)
class Target:
    """The quantity that the model predicts.

    ``classes`` are in the order of a record's scores. Of two classes, the second one is predicted
    if its probability is above ``threshold``.
    """

    name: str
    unit: str
    description: str
    classes: tuple[str, ...]
    threshold: float = 0.5

    @property
    def title(self) -> str:
        return capitalize_first(self.description or self.name)


@dataclass(frozen=True, slots=True)
class Schema:
    """The features, in the order of training, the target, and the columns to ignore in a file."""

    features: tuple[Feature, ...]
    target: Target
    ignored: frozenset[str] = frozenset()

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]

    @property
    def is_named(self) -> bool:
        return all(feature.named for feature in self.features)


def load_schema(folder: Path, image: str | None = None) -> Schema:
    """Return the schema of an artifact: its schema.json, and what only its model knows.

    ``image`` is the Docker image that reads the model, if Docker has it. Raises BadSchema.
    """
    path = find_schema(folder)
    try:
        document = load_document(folder, path, image)
        features = tuple(
            _read_feature(index, entry) for index, entry in enumerate(document["features"])
        )
        target = _read_target(document.get("prediction") or {})
        ignored = frozenset(name.strip() for name in document.get("ignore", ()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadSchema(
            f"{path}: expected a schema as described in docs/artifact.md, "
            f"got {type(error).__name__}: {error}"
        ) from error
    return Schema(features, target, ignored)


def capitalize_first(text: str) -> str:
    """Return the text with its first letter in upper case and the rest unchanged."""
    return text[:1].upper() + text[1:]


def _read_feature(index: int, entry: dict[str, Any]) -> Feature:
    # Without names, XGBoost counts from 0, and messages count from 1.
    name = entry.get("name") or f"f{index}"
    label = entry.get("description") or entry.get("name") or f"column {index + 1}"
    low, high = entry.get("range") or (None, None)
    return Feature(
        number=index + 1,
        name=name,
        type=entry.get("type", "float"),
        named=bool(entry.get("name")),
        label=capitalize_first(label),
        unit=entry.get("unit", ""),
        categories=tuple(entry.get("categories", ())),
        range=None if low is None or high is None else (float(low), float(high)),
        missing=entry.get("missing", True),
    )


def _read_target(entry: dict[str, Any]) -> Target:
    return Target(
        name=entry.get("name", "prediction"),
        unit=entry.get("unit", ""),
        description=entry.get("description", ""),
        classes=tuple(str(label) for label in entry.get("classes", ())),
        threshold=entry.get("threshold", 0.5),
    )
