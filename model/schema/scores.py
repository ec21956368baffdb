"""Predict the rows of the sample as the server would, with a score for each class."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.schema.column_facts import NA_TEXTS
from model.schema.sample import Sample
from serve.codecs import LINE_CODECS
from serve.codecs.row_errors import align_lines
from serve.media.types import CSV
from serve.model.model import Model

Floats = NDArray[np.float32]
ROW = re.compile(r"\Arow \d+(?:,\d{3})*")


@dataclass(frozen=True, slots=True)
class Scores:
    """The predictions, float32 (n,) or (n, k), for the rows that the server accepts.

    ``targets`` are the cells of the target in these rows, and ``first_error`` is the message for
    the first of the rows that the server rejects, ``rejected_count`` of ``row_count``.
    """

    predictions: Floats
    targets: list[str]
    row_count: int = 0
    rejected_count: int = 0
    first_error: str = ""


def predict_sample(model: Model, sample: Sample) -> Scores:
    """Return the predictions for the rows of a sample whose target, if any, is present."""
    rows, targets = sample.rows, pd.Series("", sample.rows.index)
    if sample.columns.target is not None:
        targets = rows[sample.columns.target].str.strip()
        rows = rows[~targets.isin(NA_TEXTS)]
    targets = targets[rows.index]
    cells = rows[sample.columns.features].copy()
    for column, facts in zip(sample.columns.features, sample.features, strict=True):
        # The server reads a blank cell as a missing value, but not NA.
        texts = [text for text in facts.missing_texts if text in NA_TEXTS]
        cells.loc[cells[column].str.strip().isin(texts), column] = ""
    payload = cells.to_csv(header=False, index=False, lineterminator="\n").encode()
    features, errors = _align(model, payload)
    is_valid = np.ones(len(rows), dtype=bool)
    is_valid[list(errors)] = False
    return Scores(
        model.predict(features) if len(features) else np.empty(0, np.float32),
        list(targets[is_valid]),
        len(rows),
        len(errors),
        _describe_first(errors, rows),
    )


def _describe_first(errors: Mapping[int, str], rows: pd.DataFrame) -> str:
    """Return the message for the first bad row, with its number in the file."""
    if not errors:
        return ""
    index = min(errors)
    return ROW.sub(f"row {rows.index[index] + 1:,}", errors[index], count=1)


def score_classes(predictions: Floats, objective: str, class_count: int) -> Floats:
    """Return a score of each class, float32 (n, class_count), that is higher for a likelier one."""
    if predictions.ndim > 1:
        return predictions
    if objective.startswith("multi:"):  # multi:softmax predicts the code
        one_hot: Floats = np.eye(class_count, dtype=np.float32)[predictions.astype(int)]
        return one_hot
    middle = 0 if objective == "binary:logitraw" else np.float32(0.5)
    return np.stack([middle - predictions, predictions - middle], axis=1)


def _align(model: Model, payload: bytes) -> tuple[Floats, dict[int, str]]:
    """Return the features of the good lines, and the errors of the others by their index."""
    matrices: list[Floats] = []
    errors: dict[int, str] = {}
    first = 0
    parameters = {"header": "absent"}
    for part in align_lines(LINE_CODECS[CSV], payload, parameters, model.schema):
        matrices.append(part.features)
        errors |= {first + index: message for index, message in part.errors.items()}
        first += len(part.features) + len(part.errors)
    width = model.schema.width
    return np.concatenate([np.empty((0, width), np.float32), *matrices]), errors
