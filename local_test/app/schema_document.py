"""The schema.json of an artifact, completed by what the server reads from the model itself."""

import json
from pathlib import Path
from typing import Any

from container.local_check import check_artifact
from container.local_server import NotServing
from serve.errors import BadArtifact
from serve.model.files.reading import MAX_SCHEMA_BYTES, read_file

Document = dict[str, Any]
# What the server reports of a feature, and a form needs.
MODEL_KEYS = ("name", "type", "categories", "missing")


class BadSchema(Exception):
    """The form cannot be built from the artifact; the message says why."""


def load_document(folder: Path, path: Path, image: str | None) -> Document:
    """Return the document of a folder with its features, as in schema.json.

    The model is read, which takes a second, only if the file at ``path`` does not describe every
    feature completely. Without a model, the file alone describes that of an endpoint.

    Raises:
        BadSchema: neither the file nor the model describes the features.
        ValueError: the file is not JSON.
    """
    if not folder.is_dir():
        raise BadSchema(f"{folder} is not a directory: set FOLDER to the one with the model")
    document = _read_document(path)
    features = document.get("features") or []
    if features and all(map(_is_complete, features)):
        return document
    try:
        report = check_artifact(folder, image=image)
    except NotServing as error:
        if features:  # enough for a form; the endpoint may have the model, or another XGBoost
            return document
        reason = 'has no "features"' if path.exists() else "does not exist"
        raise BadSchema(
            "the form is built from schema.json or from the model itself, "
            f"but {path} {reason}, and {error}"
        ) from error
    return _complete(document, report)


def _read_document(path: Path) -> Document:
    """Return what schema.json contains, or {} if it does not exist."""
    if not path.exists():
        return {}
    try:
        document: Document = json.loads(read_file(path, MAX_SCHEMA_BYTES))
    except BadArtifact as error:
        raise BadSchema(str(error)) from error
    return document


def _is_complete(feature: Document) -> bool:
    """Return whether a feature has a name, a type and, for a category, labels or codes."""
    if "name" not in feature or "type" not in feature:
        return False
    return feature["type"] != "c" or "categories" in feature or "codes" in feature


def _complete(document: Document, report: Document) -> Document:
    """Return the document with what the server reports of the model's features and classes."""
    reported = report["feature_list"]
    described = document.get("features") or [{}] * len(reported)
    features = [
        {**in_file, **{key: in_model[key] for key in MODEL_KEYS if key in in_model}}
        for in_file, in_model in zip(described, reported, strict=True)
    ]
    target = document.get("prediction") or {}
    # Without names, a class is its code.
    classes = target.get("classes") or list(range(report.get("class_count", 0)))
    return {**document, "features": features, "prediction": {**target, "classes": classes}}
