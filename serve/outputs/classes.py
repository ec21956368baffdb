"""Compute the outputs ``class`` and ``class_probabilities``, which name a model's classes.

AWS's keys, such as predicted_label, contain numbers, and do not depend on the threshold.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from serve.columns import Column, Names, ValuesByName, build_null_column
from serve.model.classes import Classes
from serve.model.model import Model
from serve.output_keys import CLASS

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
# Computes the index of each record's class; those of NaN do not matter.
Decision = Callable[[Floats, Classes], Indices]

NO_CLASS = -1
ONE = np.float32(1)


def explain_unavailable(model: Model, key: str) -> str | None:
    """Return why a model does not have an output of CLASS_KEYS, or None if it does."""
    if model.classes is None:
        return (
            "the model has no class names; "
            'list those of a classifier in schema.json, in "prediction", as "classes"'
        )
    if key != CLASS:
        if model.objective in PROBABILITY_OBJECTIVES:
            return None
        return f"the objective {model.objective} does not predict probabilities"
    if model.classes.independent:
        return "the model has several outputs, each of which is true or not"
    if model.objective not in DECISIONS:
        return "which class a score means is unknown for a custom objective"
    return None


def compute_class_column(model: Model, key: str, predictions: Floats) -> Column:
    """Return the column of a key in CLASS_KEYS, or nulls if it is not available for the model.

    ``predictions`` are float32 (n,) or (n, k).
    """
    classes, decide = model.classes, DECISIONS.get(model.objective)
    if classes is None or decide is None or explain_unavailable(model, key):
        return build_null_column(len(predictions))
    if key != CLASS:
        return ValuesByName(classes.texts, _list_probabilities(predictions))
    has_nan = np.isnan(predictions.reshape(len(predictions), -1)).any(axis=1)
    return Names(classes.names, np.where(has_nan, NO_CLASS, decide(predictions, classes)))


def _list_probabilities(predictions: Floats) -> Floats:
    """Return the probability of each class, float32 (n, k), where a single one is the second's."""
    return (
        np.stack([ONE - predictions, predictions], axis=1) if predictions.ndim == 1 else predictions
    )


def _is_above_threshold(predictions: Floats, classes: Classes) -> Indices:
    return (predictions > np.float32(classes.threshold)).astype(np.int64)


def _is_positive(predictions: Floats, _classes: Classes) -> Indices:
    return (predictions > 0).astype(np.int64)


def _convert(predictions: Floats, _classes: Classes) -> Indices:
    return np.nan_to_num(predictions).astype(np.int64)


def _find_largest(predictions: Floats, _classes: Classes) -> Indices:
    indices: Indices = predictions.argmax(axis=1)
    return indices


DECISIONS: dict[str, Decision] = {
    "binary:logistic": _is_above_threshold,
    "reg:logistic": _is_above_threshold,
    "binary:logitraw": _is_positive,
    "binary:hinge": _convert,
    "multi:softmax": _convert,
    "multi:softprob": _find_largest,
}
PROBABILITY_OBJECTIVES = ("binary:logistic", "reg:logistic", "multi:softprob")
