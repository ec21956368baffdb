"""Reject classes in schema.json that contradict the model's outputs or objective."""

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from serve.model.estimator import Estimator
from serve.model.schema_json.file import SchemaConflict, SchemaFile
from serve.model.schema_json.keys import CLASSES, PREDICTION, THRESHOLD
from serve.text import counted, listed, quoted

CLASSIFIER = "classifier"
# The objectives whose single output is the probability of the second class.
PROBABILITY_OBJECTIVES = ("binary:logistic", "reg:logistic")
# The objectives of a model without classes, and those of them that predict a probability.
REGRESSION_PREFIXES = ("reg:", "count:", "rank:", "survival:")
LOGISTIC_REGRESSION = "reg:logistic"
# A model that was trained with a custom objective names this one, which is the default.
DEFAULT_OBJECTIVES = ("reg:squarederror", "reg:linear")
# What a custom objective leaves as base_score, unless the user sets it.
DEFAULT_BASE_SCORE = 0.5


def check_classes(
    schema_file: SchemaFile | None, learner: Mapping[str, Any], estimator: Estimator
) -> None:
    """Raise SchemaConflict if schema.json describes classes that the model does not have.

    ``learner`` is the object of this name in the booster's configuration.
    """
    if schema_file is None:
        return
    if schema_file.threshold is not None:
        _check_threshold(schema_file, learner, estimator)
    if schema_file.classes is None:
        return
    _check_count(schema_file.classes, learner["learner_model_param"])
    _check_objective(learner, estimator)
    saved = estimator.class_names
    if saved and saved != schema_file.classes:
        _reject(f"expected {listed(saved)} as in the model, got {listed(schema_file.classes)}")


def _check_threshold(
    schema_file: SchemaFile, learner: Mapping[str, Any], estimator: Estimator
) -> None:
    """Reject a threshold of a model that does not predict one probability, or has no classes."""
    objective = learner["objective"]["name"]
    if objective not in PROBABILITY_OBJECTIVES:
        expected = quoted(PROBABILITY_OBJECTIVES[0])
        _reject(f"expected the objective {expected}, got {quoted(objective)}", THRESHOLD)
    if int(learner["learner_model_param"].get("num_target", 1)) > 1:
        _reject("not supported for a model with several outputs", THRESHOLD)
    if not (schema_file.classes or estimator.class_names):
        _reject(f'requires "{CLASSES}", the names that it decides between', THRESHOLD)


def _check_count(classes: tuple[str | int, ...], parameters: Mapping[str, str]) -> None:
    """A model with one output distinguishes two classes."""
    output_count = max(int(parameters["num_class"]), int(parameters.get("num_target", 1)))
    expected = max(output_count, 2)
    if len(classes) != expected:
        _reject(
            f"expected {expected} classes for a model with {counted(output_count, 'output')}, "
            f"got {len(classes):,}"
        )


def _check_objective(learner: Mapping[str, Any], estimator: Estimator) -> None:
    """Reject classes of a regression; a custom objective, which is not stored, may have classes."""
    objective, kind = learner["objective"]["name"], estimator.kind
    if kind and kind != CLASSIFIER:
        _reject(f"the model is a {kind}, which has no classes: remove the key")
    is_regression = objective.startswith(REGRESSION_PREFIXES) and objective != LOGISTIC_REGRESSION
    if kind == CLASSIFIER or not is_regression:
        return
    if objective not in DEFAULT_OBJECTIVES or _is_base_score_estimated(learner):
        _reject(f"the objective is {quoted(objective)}, which has no classes: remove the key")


def _is_base_score_estimated(learner: Mapping[str, Any]) -> bool:
    """Return whether training estimated base_score from the labels.

    It does so only with a built-in objective.
    """
    parameters = learner["learner_model_param"]
    scores = [float(text) for text in parameters["base_score"].strip("[]").split(",")]
    was_set = parameters.get("boost_from_average") == "0"
    return not was_set and bool(np.any(np.array(scores) != DEFAULT_BASE_SCORE))


def _reject(message: str, key: str = CLASSES) -> NoReturn:
    raise SchemaConflict(f'"{PREDICTION}": "{key}": {message}')
