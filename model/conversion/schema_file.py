"""Add what an estimator knows, and no model file contains, to the schema.json beside the model."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from model.conversion.errors import CannotConvert
from model.conversion.files import write_file
from model.conversion.original import Original
from serve.errors import StartupError
from serve.model.artifact import find_model
from serve.model.files.names import SCHEMA_NAME
from serve.model.schema_json.file import read_schema_file
from serve.model.schema_json.keys import CLASSES, FEATURES, MISSING_VALUE, PREDICTION
from serve.text import listed

Document = dict[str, Any]
ELSEWHERE = "write the model to another directory with OUT=path/to/model.ubj"
# Larger whole numbers are easier to read with an exponent.
MAX_WHOLE_NUMBER = 10**15


def build_schema(original: Original, model: Path) -> Document:
    """Return what schema.json must contain for a converted model; empty if nothing."""
    document: Document = {}
    if math.isfinite(original.missing):
        document[MISSING_VALUE] = _as_number(original.missing)
    if len(original.classes) == _count_classes(model):
        document[PREDICTION] = {CLASSES: list(original.classes)}
    return document


def read_schema(folder: Path) -> Document:
    """Return the schema.json that exists in a folder, or an empty document."""
    path = folder / SCHEMA_NAME
    try:
        if read_schema_file(path) is None:
            return {}
    except StartupError as error:
        raise CannotConvert(f"{error}; correct the file, or {ELSEWHERE}") from error
    document: Document = json.loads(path.read_bytes())
    return document


def check_contradictions(existing: Document, original: Original, folder: Path) -> None:
    """Raise CannotConvert if schema.json contradicts the estimator."""
    path = folder / SCHEMA_NAME
    if math.isfinite(original.missing):
        _check_missing_values(existing, _as_number(original.missing), path)
    if original.classes:
        _check_classes(existing, list(original.classes), path)


def find_additions(existing: Document, required: Document, folder: Path) -> Document:
    """Return the required keys that schema.json lacks.

    Raises CannotConvert if the directory contains a model to which they would apply.
    """
    additions: Document = {}
    if MISSING_VALUE in required and MISSING_VALUE not in existing:
        additions[MISSING_VALUE] = required[MISSING_VALUE]
    if PREDICTION in required and CLASSES not in existing.get(PREDICTION, {}):
        additions[PREDICTION] = required[PREDICTION]
    if additions and (model := _find_other_model(folder)):
        raise CannotConvert(
            f"{folder / SCHEMA_NAME} would need {json.dumps(additions)}, but {model} uses this "
            f"file: {ELSEWHERE}"
        )
    return additions


def merge(existing: Document, additions: Document) -> Document:
    """Return the existing document with the additional keys."""
    merged = existing | additions
    if PREDICTION in additions:
        merged[PREDICTION] = existing.get(PREDICTION, {}) | additions[PREDICTION]
    return merged


def save_schema(existing: Document, additions: Document, folder: Path) -> str:
    """Add the keys to schema.json, which is created if necessary; return what was done."""
    path = folder / SCHEMA_NAME
    write_file(path.resolve(), format_schema(merge(existing, additions)).encode())
    verb = "Added to" if existing else "Wrote"
    reader = "the server needs too" if MISSING_VALUE in additions else "names the classes"
    return f"{verb} {path}, which {reader}: {json.dumps(additions, ensure_ascii=False)}"


def format_schema(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _check_missing_values(existing: Document, expected: float, path: Path) -> None:
    """Reject another missing value, for all features or for one."""
    features = enumerate(existing.get(FEATURES, ()), 1)
    places = [(f"feature {number}: ", feature) for number, feature in features]
    for place, level in [("", existing), *places]:
        got = level.get(MISSING_VALUE, expected)
        if got is None or np.float32(got) != np.float32(expected):
            raise CannotConvert(
                f'{path}: {place}"{MISSING_VALUE}": expected {expected}, as in the estimator, '
                f"got {json.dumps(got)}: correct the file, or {ELSEWHERE}"
            )


def _check_classes(existing: Document, expected: list[str | int], path: Path) -> None:
    """Reject other classes, unless the estimator only numbered them: then they may have names."""
    got = existing.get(PREDICTION, {}).get(CLASSES, expected)
    if got == expected or expected == list(range(len(got))):
        return
    raise CannotConvert(
        f'{path}: "{PREDICTION}": "{CLASSES}": expected {listed(expected)}, as in the '
        f"estimator, got {listed(got)}: correct the file, or {ELSEWHERE}"
    )


def _find_other_model(folder: Path) -> Path | None:
    """Return the model that the server would serve from the directory, if any."""
    try:
        return find_model(folder).path
    except (StartupError, OSError):
        return None


def _count_classes(model: Path) -> int | None:
    """Return the number of classes that a model can have, or None if its outputs are not classes.

    A classifier of several labels a row has several targets.
    """
    config = json.loads(xgboost.Booster(model_file=model).save_config())
    parameters = config["learner"]["learner_model_param"]
    if int(parameters.get("num_target", 1)) > 1:
        return None
    return max(int(parameters["num_class"]), 2)


def _as_number(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < MAX_WHOLE_NUMBER else value
