"""Outputs: what the keys of SAGEMAKER_INFERENCE_OUTPUT mean for the predictions of an objective.

The values are those of AWS's image where it has some (docs/migrating-from-aws.md).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.columns import Column, null_column

Floats = NDArray[np.float32]
# From predictions, float32 (n,) or (n, k), and the number of classes to a column, None where it would be a list of lists.
Output = Callable[[Floats, int], NDArray[Any] | None]

SCORE, SPREAD = "score", "spread"
ONE, HALF = np.float32(1), np.float32(0.5)


def _itself(predictions: Floats, _classes: int) -> Floats:
    return predictions


def _labels(predictions: Floats, classes: int) -> NDArray[np.int64]:
    return np.broadcast_to(np.arange(classes), (len(predictions), classes))


def _two_labels(predictions: Floats, _classes: int) -> NDArray[np.int64]:
    return _labels(predictions, 2)


def _both(predictions: Floats, _classes: int) -> Floats | None:
    """Return 1 - x beside x."""
    return np.stack([ONE - predictions, predictions], axis=1) if predictions.ndim == 1 else None


def _above_half(predictions: Floats, _classes: int) -> NDArray[np.int64]:
    return (predictions > HALF).astype(np.int64)


def _above_zero(predictions: Floats, _classes: int) -> NDArray[np.int64]:
    return (predictions > 0).astype(np.int64)


def _likeliest(predictions: Floats, _classes: int) -> NDArray[np.int64]:
    likeliest: NDArray[np.int64] = predictions.argmax(axis=1)
    return likeliest


def _largest(predictions: Floats, _classes: int) -> Floats:
    largest: Floats = predictions.max(axis=1)
    return largest


ANY: Mapping[str, Output] = {"predicted_score": _itself}
OF_OBJECTIVE: dict[str, Mapping[str, Output]] = {
    "binary:logistic": {
        "predicted_label": _above_half,
        "labels": _two_labels,
        "probability": _itself,
        "probabilities": _both,
        "raw_score": _itself,
        "raw_scores": _both,
    },
    "binary:logitraw": {
        "predicted_label": _above_zero,
        "labels": _two_labels,
        "raw_score": _itself,
        "raw_scores": _both,
    },
    "binary:hinge": {
        "predicted_label": _itself,
        "labels": _two_labels,
        "raw_score": _itself,
        "raw_scores": _both,
    },
    "multi:softmax": {"predicted_label": _itself, "labels": _labels, "raw_score": _itself},
    "multi:softprob": {
        "predicted_label": _likeliest,
        "labels": _labels,
        "probability": _largest,
        "probabilities": _itself,
        "raw_score": _largest,
        "raw_scores": _itself,
    },
}


def selected(
    keys: Sequence[str],
    objective: str,
    classes: int,
    predictions: Floats,
    spread: Floats | None = None,
) -> dict[str, Column]:
    """Return a column for each key, of nulls where the key means nothing for the objective.

    ``predictions`` are float32 (n,) or (n, k), and so is ``spread``, where there is one.
    """
    known = OF_OBJECTIVE.get(objective, ANY)
    columns: dict[str, Column] = {}
    for key in keys:
        column = (
            spread if key == SPREAD else known[key](predictions, classes) if key in known else None
        )
        columns[key] = null_column(len(predictions)) if column is None else column
    return columns


def meaningless(keys: Sequence[str], columns: Mapping[str, Column]) -> list[str]:
    """Return the keys whose columns hold nothing but nulls."""
    return [key for key in keys if np.isnan(np.asarray(columns[key], dtype=np.float64)).all()]
