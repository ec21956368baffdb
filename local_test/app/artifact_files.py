"""Find the files of an artifact that the application shows, where the server finds them."""

from pathlib import Path

from serve.errors import BadArtifact
from serve.model.artifact import ModelFile, find_model


def find_schema(folder: Path) -> Path:
    """Return the path of the schema.json of an artifact, which may not exist."""
    model = _find_model(folder)
    return (model and model.schema) or folder / "schema.json"


def find_example(folder: Path) -> Path:
    """Return the path of the self-test's request in CSV, which may not exist."""
    model = _find_model(folder)
    request = model.self_test[0] if model and model.self_test else folder / "self-test" / "request"
    return request.with_suffix(".csv")


def _find_model(folder: Path) -> ModelFile | None:
    """Return the model, or None for a folder that only describes the model of an endpoint."""
    try:
        return find_model(folder)
    except (BadArtifact, OSError):
        return None
