"""Assemble schema.json, and write it with one line per feature."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from model.schema.feature_entry import describe_feature
from model.schema.feature_source import FeatureSource
from model.schema.findings import Findings
from model.schema.known_model import KnownModel
from model.schema.sample import Sample
from serve.model.schema_json.keys import CLASSES, FEATURES, MISSING_VALUE, PREDICTION

Document = dict[str, Any]
DEFAULT_TARGET = "prediction"


def build_document(
    model: KnownModel, sample: Sample | None, existing: Document, target: str | None, out: Findings
) -> Document:
    """Return the document without the classes that the sample may name; raises CannotDescribe.

    ``existing`` is the schema.json that is replaced. Keys that cannot be inferred are kept.
    """
    names = model.names or (sample.columns.names if sample else None)
    former = find_former_entries(model, names, existing)
    sources = [
        FeatureSource(
            number,
            feature,
            names[number - 1] if names else None,
            sample.features[number - 1] if sample else None,
            former[number - 1],
        )
        for number, feature in enumerate(model.features, 1)
    ]
    features = [describe_feature(source, out) for source in sources]
    prediction = describe_target(model, existing, target)
    document = {**existing, FEATURES: features, PREDICTION: prediction}
    if model.estimator.missing_value is not None and MISSING_VALUE not in existing:
        document[MISSING_VALUE] = model.estimator.missing_value
    return document


def describe_target(model: KnownModel, existing: Document, target: str | None) -> Document:
    """Return the prediction, with blank texts for a person to fill in; classes have no unit."""
    blank = {"name": DEFAULT_TARGET, "description": ""}
    if not model.class_count:
        blank["unit"] = ""
    described: Document = blank | existing.get(PREDICTION, {})
    return {**described, "name": target} if target else described


def find_former_entries(
    model: KnownModel, names: list[str] | None, existing: Document
) -> list[Mapping[str, Any]]:
    """Return each feature's entry in the replaced file, by its name or else by its position."""
    entries: list[Mapping[str, Any]] = existing.get(FEATURES, [])
    if names and all("name" in entry for entry in entries):
        by_name = {entry["name"]: entry for entry in entries}
        return [by_name.get(name, {}) for name in names]
    return entries if len(entries) == len(model.features) else [{}] * len(model.features)


def find_markers(model: KnownModel, existing: Document) -> list[float | None]:
    """Return the number that means missing for each feature; None if there is none."""
    shared = existing.get(MISSING_VALUE, model.estimator.missing_value)
    former = find_former_entries(model, model.names, existing)
    return [entry.get(MISSING_VALUE, shared) for entry in former]


def format_document(document: Document) -> str:
    """Return the document as JSON, with each feature on a line of its own."""
    return "{\n" + ",\n".join(_format_entries(document)) + "\n}\n"


def _format_entries(document: Document) -> Iterator[str]:
    for key, value in document.items():
        if key == FEATURES:
            lines = ",\n".join(f"    {_dump(feature)}" for feature in value)
            yield f'  "{key}": [\n{lines}\n  ]'
        else:
            yield f'  "{key}": {_dump(value)}'


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def add_classes(document: Document, names: list[str | int] | None, class_count: int) -> Document:
    """Return the document with the names of a classifier's classes.

    Without certain names, those that it had before remain, or else the codes are the names.
    """
    target = document[PREDICTION]
    if names is None and (CLASSES in target or not class_count):
        return document
    return {**document, PREDICTION: {**target, CLASSES: names or list(range(class_count))}}
