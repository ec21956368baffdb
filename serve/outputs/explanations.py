"""Explain predictions: margins, feature contributions and leaves, requested in the Accept header.

Example: ``Accept: application/json; explain=contributions+leaves; top=3``.
Source: Booster.predict in XGBoost's Python package.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.columns import Column, ValuesByClass, ValuesByName
from serve.errors import NotAcceptable
from serve.media.types import EXPLAIN, JSON, JSON_LINES, TOP
from serve.model.ensemble import mean
from serve.model.model import Model
from serve.output_keys import SEPARATORS
from serve.text import quoted

MARGIN, CONTRIBUTIONS, BIAS, LEAVES = "margin", "contributions", "bias", "leaves"
KINDS = (MARGIN, CONTRIBUTIONS, LEAVES)
# The objectives whose only margin, if it is positive, means the second class.
CLASSIFIERS = ("binary:", "reg:logistic")
POSITIVE_NUMBER = re.compile(r"0*[1-9]\d{0,8}", re.ASCII)
# Booster.predict, unlike Booster.inplace_predict, is not guaranteed to be thread-safe.
PREDICT_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """The requested kinds of explanation, and the number of features to name (None for all)."""

    kinds: frozenset[str]
    top: int | None = None


def parse_explain_options(
    parameters: Mapping[str, str], accept: str, model: Model
) -> ExplainOptions | None:
    """Return the explanations that the parameters of Accept request.

    Return None if there is no ``explain`` parameter. Raises NotAcceptable for unknown parameter
    values, and for explanations that the model or the media type does not support.
    """
    if EXPLAIN not in parameters:
        return None
    kinds = frozenset(SEPARATORS.split(parameters[EXPLAIN].strip().lower()))
    if not kinds <= set(KINDS):
        raise NotAcceptable(
            f"Accept: explain={quoted(parameters[EXPLAIN])}: "
            f"expected {', '.join(KINDS)}, or several of them joined by +"
        )
    if LEAVES in kinds and (model.members or model.booster_type == "gblinear"):
        model_type = "an ensemble" if model.members else "a linear booster"
        raise NotAcceptable(f"Accept: explain=leaves: not available for {model_type}")
    return ExplainOptions(kinds, _parse_top(parameters.get(TOP), kinds, accept))


def explain(
    model: Model, features: NDArray[np.float32], options: ExplainOptions
) -> dict[str, Column]:
    """Return the requested explanations as columns, in the order of KINDS.

    Margins are float32 (n,) or (n, k), by class if the classes have names. Contributions are
    float32 (n, f) or (n, f, k), and the bias has the shape of the margins. The sum of the
    contributions and the bias is the margin. Leaves are int64 (n, trees). The explanation of an
    ensemble is the mean of its members' explanations.

    Raises NotAcceptable if XGBoost does not support an explanation for the model.
    """
    columns: dict[str, Column] = {}
    if MARGIN in options.kinds:
        margins = _predict_mean(model, features, output_margin=True)
        columns[MARGIN] = _name_classes(model, margins)
    if CONTRIBUTIONS in options.kinds:
        values = _predict_mean(model, features, pred_contribs=True)
        if values.ndim > 2:  # noqa: PLR2004
            values = values.transpose(0, 2, 1)  # (n, k, f + 1) to (n, f + 1, k)
        bias = values[:, -1]
        columns[CONTRIBUTIONS] = ValuesByName(
            _list_feature_names(model), values[:, :-1], options.top, _list_classes(model, bias)
        )
        columns[BIAS] = _name_classes(model, bias)
    if LEAVES in options.kinds:
        leaves = _predict(model, features, pred_leaf=True)
        columns[LEAVES] = leaves.reshape(len(features), -1).astype(np.int64)
    return columns


def _parse_top(text: str | None, kinds: frozenset[str], accept: str) -> int | None:
    if text is None:
        return None
    if not POSITIVE_NUMBER.fullmatch(text):
        raise NotAcceptable(f"Accept: top={quoted(text)}: expected a whole number, at least 1")
    if CONTRIBUTIONS not in kinds or accept not in (JSON, JSON_LINES):
        raise NotAcceptable(
            f"Accept: top={text}: requires explain=contributions, "
            f"with either {JSON} or {JSON_LINES}"
        )
    return int(text)


def _name_classes(model: Model, values: NDArray[np.float32]) -> Column:
    classes = _list_classes(model, values)
    return values if classes is None else ValuesByClass(classes, values)


def _list_classes(model: Model, values: NDArray[np.float32]) -> tuple[str, ...] | None:
    """Return the names of the classes that margins, float32 (n,) or (n, k), refer to.

    A single margin refers to the second class, unless a custom objective defines its meaning.
    """
    if model.classes is None:
        return None
    names = model.classes.texts
    if values.ndim > 1:
        return names if values.shape[1] == len(names) else None
    return names[1:] if model.objective.startswith(CLASSIFIERS) else None


def _list_feature_names(model: Model) -> tuple[str, ...]:
    """Return the names of the features, or XGBoost's default names if they have none."""
    return model.schema.names or tuple(f"f{index}" for index in range(model.schema.width))


def _predict_mean(
    model: Model, features: NDArray[np.float32], **output_options: bool
) -> NDArray[np.float32]:
    members = model.members or (model,)
    predictions = [_predict(member, features, **output_options) for member in members]
    return mean(predictions) if len(predictions) > 1 else predictions[0]


def _predict(
    model: Model, features: NDArray[np.float32], **output_options: Any
) -> NDArray[np.float32]:
    """Return Booster.predict for the rounds in use; gblinear does not support iteration_range."""
    if model.booster_type != "gblinear":
        output_options["iteration_range"] = (0, model.rounds_used)
    try:
        with PREDICT_LOCK:
            matrix = xgboost.DMatrix(features, nthread=1)
            values: NDArray[np.float32] = model.booster.predict(
                matrix, validate_features=False, **output_options
            )
    except xgboost.core.XGBoostError as error:
        raise NotAcceptable(
            f"Accept: {EXPLAIN}: not supported by XGBoost {xgboost.__version__} for this model"
        ) from error
    return values
