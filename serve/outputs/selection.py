"""Compute the outputs that a request or SAGEMAKER_INFERENCE_OUTPUT selects.

Values that the AWS XGBoost image also returns match (docs/migrating-from-aws.md).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.columns import Column, build_null_column
from serve.model.model import Model
from serve.output_keys import (
    CLASS_KEYS,
    LABELS,
    PREDICTED_LABEL,
    PREDICTED_SCORE,
    PROBABILITIES,
    PROBABILITY,
    RAW_SCORE,
    RAW_SCORES,
    SCORE,
    SPREAD,
)
from serve.outputs.classes import compute_class_column

Floats = NDArray[np.float32]
# Computes an output of n rows from predictions, float32 (n,) or (n, k), and the number of classes.
# Returns None if the output would be a list of lists.
OutputFunction = Callable[[Floats, int], NDArray[Any] | None]

ONE, HALF = np.float32(1), np.float32(0.5)


def select_outputs(
    keys: Sequence[str], model: Model, predictions: Floats, spread: Floats | None = None
) -> dict[str, Column]:
    """Return a column for each key; a key of AWS that the objective does not support gets nulls.

    ``predictions`` and ``spread`` are float32 (n,) or (n, k). ``spread`` is None if the model has
    no spread.
    """
    columns: dict[str, Column] = {}
    for key in keys:
        if key == SPREAD:
            column: Column | None = spread
        elif key in CLASS_KEYS:
            column = compute_class_column(model, key, predictions)
        else:
            column = _compute(key, model, predictions)
        columns[key] = build_null_column(len(predictions)) if column is None else column
    return columns


def _compute(key: str, model: Model, predictions: Floats) -> NDArray[Any] | None:
    if key == SCORE:
        return predictions
    functions = OUTPUTS_BY_OBJECTIVE.get(model.objective, DEFAULT_OUTPUTS)
    return functions[key](predictions, model.class_count) if key in functions else None


def find_null_keys(keys: Sequence[str], columns: Mapping[str, Column]) -> list[str]:
    """Return the keys whose columns contain only nulls."""
    return [
        key
        for key in keys
        if isinstance(values := columns[key], np.ndarray) and np.isnan(values.astype(float)).all()
    ]


def _unchanged(predictions: Floats, _class_count: int) -> Floats:
    return predictions


def _class_labels(predictions: Floats, class_count: int) -> NDArray[np.int64]:
    return np.broadcast_to(np.arange(class_count), (len(predictions), class_count))


def _binary_labels(predictions: Floats, _class_count: int) -> NDArray[np.int64]:
    return _class_labels(predictions, 2)


def _both_classes(predictions: Floats, _class_count: int) -> Floats | None:
    """Return the scores of both classes, 1 - x and x, or None if the model has several outputs."""
    return np.stack([ONE - predictions, predictions], axis=1) if predictions.ndim == 1 else None


def _is_above_half(predictions: Floats, _class_count: int) -> NDArray[np.int64]:
    return (predictions > HALF).astype(np.int64)


def _is_positive(predictions: Floats, _class_count: int) -> NDArray[np.int64]:
    return (predictions > 0).astype(np.int64)


def _most_likely_class(predictions: Floats, _class_count: int) -> NDArray[np.int64]:
    classes: NDArray[np.int64] = predictions.argmax(axis=1)
    return classes


def _highest_score(predictions: Floats, _class_count: int) -> Floats:
    scores: Floats = predictions.max(axis=1)
    return scores


DEFAULT_OUTPUTS: Mapping[str, OutputFunction] = {PREDICTED_SCORE: _unchanged}
OUTPUTS_BY_OBJECTIVE: dict[str, Mapping[str, OutputFunction]] = {
    "binary:logistic": {
        PREDICTED_LABEL: _is_above_half,
        LABELS: _binary_labels,
        PROBABILITY: _unchanged,
        PROBABILITIES: _both_classes,
        RAW_SCORE: _unchanged,
        RAW_SCORES: _both_classes,
    },
    "binary:logitraw": {
        PREDICTED_LABEL: _is_positive,
        LABELS: _binary_labels,
        RAW_SCORE: _unchanged,
        RAW_SCORES: _both_classes,
    },
    "binary:hinge": {
        PREDICTED_LABEL: _unchanged,
        LABELS: _binary_labels,
        RAW_SCORE: _unchanged,
        RAW_SCORES: _both_classes,
    },
    "multi:softmax": {
        PREDICTED_LABEL: _unchanged,
        LABELS: _class_labels,
        RAW_SCORE: _unchanged,
    },
    "multi:softprob": {
        PREDICTED_LABEL: _most_likely_class,
        LABELS: _class_labels,
        PROBABILITY: _highest_score,
        PROBABILITIES: _unchanged,
        RAW_SCORE: _highest_score,
        RAW_SCORES: _unchanged,
    },
}
