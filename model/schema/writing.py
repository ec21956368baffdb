"""Infer schema.json for a model, and write it."""

import json
from dataclasses import dataclass
from pathlib import Path

from model.conversion.files import write_file
from model.schema.classes import name_classes
from model.schema.columns import find_columns
from model.schema.document import (
    Document,
    add_classes,
    build_document,
    find_markers,
    format_document,
)
from model.schema.errors import CannotDescribe
from model.schema.findings import Findings
from model.schema.known_model import KnownModel, read_known_model
from model.schema.regression import compare_values
from model.schema.sample import Sample, read_sample
from model.schema.sample_file import open_sample
from model.schema.scores import Scores, predict_sample
from model.schema.verification import load_with_document
from serve.errors import StartupError
from serve.model.model import Model
from serve.model.schema_json.file import read_schema_file
from serve.settings import Settings
from serve.text import counted, quoted


@dataclass(frozen=True, slots=True)
class Written:
    """The file that was written, and what a person should know about it."""

    path: Path
    document: Document
    model: KnownModel
    sample: Sample | None
    findings: Findings
    replaced: bool


def write_schema(
    folder: Path, sample_path: Path | None, target: str | None, *, force: bool, settings: Settings
) -> Written:
    """Write the schema.json of a model; raises CannotDescribe, and OSError if it cannot be written.

    Args:
        folder: the artifact.
        sample_path: a CSV file of training data.
        target: the sample's column that the model predicts.
        force: whether to replace an existing schema.json.
        settings: the server's settings, which decide how the model is loaded.
    """
    if target is not None and sample_path is None:
        raise CannotDescribe(f"TARGET={target}: set SAMPLE to the CSV file with this column")
    model = read_known_model(folder, settings)
    path = model.schema_path
    existing = read_existing(path, force=force)
    sample = target_name = None
    if sample_path is not None:
        file = open_sample(sample_path, model.names)
        columns = find_columns(file, model.names, len(model.features), target)
        sample = read_sample(file, columns, model, find_markers(model, existing))
        target_name = target if file.header else None
    findings = Findings()
    document = build_document(model, sample, existing, target_name, findings)
    loaded = load_with_document(model, document, settings)
    classes = infer_classes(model, loaded, sample, target_name, findings)
    document = add_classes(document, classes, model.class_count)
    load_with_document(model, document, settings)
    write_file(path.resolve(), format_document(document).encode())
    return Written(path, document, model, sample, findings, bool(existing))


def read_existing(path: Path, *, force: bool) -> Document:
    """Return the schema.json that exists, or an empty document; raises CannotDescribe."""
    if not path.exists() and not path.is_symlink():
        return {}
    if not force:
        raise CannotDescribe(
            f"{path} exists: set FORCE=yes to write it again; this keeps what only a person can "
            "know, such as descriptions, units and missing_value"
        )
    try:
        read_schema_file(path)
    except StartupError as error:
        raise CannotDescribe(f"{error}; correct the file, or remove it") from error
    document: Document = json.loads(path.read_bytes())
    return document


def infer_classes(
    model: KnownModel,
    loaded: Model,
    sample: Sample | None,
    target: str | None,
    findings: Findings,
) -> list[str | int] | None:
    """Return the names of the classes, if there are any and they are certain.

    Also compare the sample with the predictions for it; raises CannotDescribe if they show that
    its columns are not those of the model.
    """
    scores = predict_sample(loaded, sample) if sample else None
    if scores and scores.rejected_count:
        _note_rejected(model, scores, findings)
    if saved := model.saved_classes:
        findings.inferred.append("classes: from the estimator that saved the model")
        return saved
    if scores is None or sample is None or sample.target is None:
        if model.class_count:
            findings.unknown.append(
                "the names of the classes: set SAMPLE and TARGET, or replace the codes in "
                '"classes" by names, in the same order'
            )
        return None
    label = quoted(target) if target else "the target"
    if model.class_count:
        return name_classes(model, label, sample.target, scores, findings)
    compare_values(model.objective, label, scores, findings)
    return None


def _note_rejected(model: KnownModel, scores: Scores, findings: Findings) -> None:
    """Note that the server rejects rows; raises CannotDescribe if the names may be wrong."""
    rejected = f"{scores.rejected_count:,} of {counted(scores.row_count, 'row')}"
    if scores.rejected_count == scores.row_count and model.names is None:
        raise CannotDescribe(
            f"the sample does not fit the model: the server would reject {rejected}: "
            f"{scores.first_error}: check TARGET, and remove columns that are not features"
        )
    findings.unknown.append(
        f"the predictions for {rejected} of the sample, which the server rejects: "
        f"{scores.first_error}"
    )
