"""Load the model with a new schema.json before that replaces anything."""

import tempfile
from dataclasses import replace
from pathlib import Path

from model.schema.document import Document, format_document
from model.schema.errors import CannotDescribe
from model.schema.known_model import KnownModel
from serve.errors import StartupError
from serve.model.artifact import ModelFile
from serve.model.files.names import SCHEMA_NAME
from serve.model.model import Model, load_model
from serve.self_test import run_self_test
from serve.settings import Settings


def load_with_document(known: KnownModel, document: Document, settings: Settings) -> Model:
    """Return the model as the server would load it with a document as its schema.json.

    Raises CannotDescribe if the server would not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SCHEMA_NAME
        path.write_text(format_document(document), encoding="utf-8")
        try:
            model = load_model(settings, _use_schema(known.file, path))
            run_self_test(model)
        except StartupError as error:
            message = str(error).replace(str(path), str(known.schema_path))
            raise CannotDescribe(f"the server would not start with it: {message}") from error
    return model


def _use_schema(file: ModelFile, path: Path) -> ModelFile:
    others = tuple(replace(member, schema=path) for member in file.other_members)
    return replace(file, schema=path, other_members=others)
