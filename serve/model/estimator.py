"""Read what XGBoost's scikit-learn estimators save in a model file besides the booster.

Every version saves the kind of the estimator; old versions also save its parameters and classes.
Source: XGBModel.save_model in XGBoost's Python package.
"""

import json
from dataclasses import dataclass
from typing import Any

import xgboost

from serve.model.booster import read_attribute
from serve.schema.feature import FLOAT32_OVERFLOW

# The attribute that estimators write to their files.
ESTIMATOR = "scikit_learn"
NOTHING: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Estimator:
    """What is known of the estimator that saved a model; None means unknown.

    Attributes:
        kind: classifier, regressor or ranker.
        missing_value: a number that training treated as a missing value, unless it is NaN.
        classes: the classes of a classifier, in the order of its outputs.

    """

    kind: str | None = None
    missing_value: float | None = None
    classes: tuple[Any, ...] | None = None

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes if they are texts, otherwise None."""
        if self.classes and all(isinstance(label, str) for label in self.classes):
            return self.classes
        return None


def read_estimator(booster: xgboost.Booster) -> Estimator:
    """Return the estimator that saved a booster; its properties are None if none did."""
    saved = _read_saved(booster)
    missing, classes = saved.get("missing"), saved.get("classes_")
    # XGBoost rounds a larger number to infinity, which the server rejects.
    is_number = isinstance(missing, int | float) and abs(missing) < FLOAT32_OVERFLOW
    return Estimator(
        saved.get("_estimator_type"),
        missing if is_number else None,
        tuple(classes) if isinstance(classes, list) else None,
    )


def _read_saved(booster: xgboost.Booster) -> dict[str, Any]:
    try:
        saved = json.loads(read_attribute(booster, ESTIMATOR) or "")
    except ValueError:
        return NOTHING
    return saved if isinstance(saved, dict) else NOTHING
