"""Expected outputs: the columns of a response, computed from XGBoost's own predictions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.adversary.models import VOTING_OBJECTIVES, Model

Floats = NDArray[np.float32]
# The outputs of a response by key, float32 (n, k). A null is NaN.
Outputs = dict[str, Floats]


def compute_outputs(model: Model, predictions: Sequence[Floats]) -> Outputs:
    """Return the outputs that a response must contain, given the predictions of each booster."""
    combined = _combine(model, predictions)
    if not model.output_keys:
        return {"score": _as_columns(combined)}
    return {key: _as_columns(_compute(key, model, combined, predictions))
            for key in model.output_keys}  # fmt: skip


def select_rows(outputs: Outputs, start: int, end: int) -> Outputs:
    return {key: values[start:end] for key, values in outputs.items()}


def replace_infinity(outputs: Outputs) -> Outputs:
    """Return the outputs as JSON contains them: null in place of infinity."""
    return {
        key: np.where(np.isinf(values), np.float32(np.nan), values)
        for key, values in outputs.items()
    }


def _combine(model: Model, predictions: Sequence[Floats]) -> Floats:
    """Return the mean of an ensemble's predictions, or the smallest most frequent class."""
    if len(predictions) == 1:
        return predictions[0]
    if model.objective not in VOTING_OBJECTIVES:
        mean: Floats = np.stack(predictions).mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean
    rows = np.stack(predictions, axis=1).astype(int)
    return np.array([np.bincount(row).argmax() for row in rows], dtype=np.float32)


def _as_columns(values: Floats) -> Floats:
    return values.reshape(len(values), -1)


def _compute(key: str, model: Model, scores: Floats, predictions: Sequence[Floats]) -> Floats:
    nothing = np.full(len(scores), np.nan, dtype=np.float32)
    if key == "spread":
        if len(predictions) == 1 or model.objective in VOTING_OBJECTIVES:
            return nothing
        deviation: Floats = np.stack(predictions).std(axis=0, dtype=np.float64).astype(np.float32)
        return deviation
    formula = FORMULAS.get(model.objective, REGRESSION).get(key)
    return nothing if formula is None else formula(scores, model.classes).astype(np.float32)


def _count_classes(scores: Floats, classes: int) -> Floats:
    return np.tile(np.arange(classes, dtype=np.float32), (len(scores), 1))


def _itself(scores: Floats, _: int) -> Floats:
    return scores


def _both(scores: Floats, _: int) -> Floats:
    return np.column_stack([np.float32(1) - scores, scores])


# docs/responses.md, "Outputs other than the score".
Formulas = dict[str, Callable[[Floats, int], NDArray[Any]]]
REGRESSION: Formulas = {"predicted_score": _itself}
HINGE: Formulas = {
    "predicted_label": _itself,
    "labels": _count_classes,
    "raw_score": _itself,
    "raw_scores": _both,
}
FORMULAS: dict[str, Formulas] = {
    "binary:hinge": HINGE,
    "binary:logitraw": {**HINGE, "predicted_label": lambda x, _: x > 0},
    "binary:logistic": {
        **HINGE,
        "predicted_label": lambda p, _: p > np.float32(0.5),
        "probability": _itself,
        "probabilities": _both,
    },
    "multi:softmax": {
        "predicted_label": _itself,
        "labels": _count_classes,
        "raw_score": _itself,
    },
    "multi:softprob": {
        "predicted_label": lambda p, _: p.argmax(axis=1),
        "labels": _count_classes,
        "probability": lambda p, _: p.max(axis=1),
        "probabilities": _itself,
        "raw_score": lambda p, _: p.max(axis=1),
        "raw_scores": _itself,
    },
}
