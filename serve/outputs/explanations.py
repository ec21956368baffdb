"""Explanations: what a caller may ask of a prediction by parameters of Accept, as XGBoost tells it.

``Accept: application/json; explain=contributions+leaves; top=3``. Source: Booster.predict of XGBoost's Python package.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.columns import Column, ValuesByName
from serve.errors import NotAcceptable
from serve.media_types import JSON, JSON_LINES
from serve.model.ensemble import mean
from serve.model.model import Model
from serve.text import quoted

EXPLAIN, TOP = "explain", "top"
MARGIN, CONTRIBUTIONS, BIAS, LEAVES = "margin", "contributions", "bias", "leaves"
KINDS = (MARGIN, CONTRIBUTIONS, LEAVES)
SEPARATORS = re.compile(r"[+,\s]+")
WHOLE_NUMBER = re.compile(r"0*[1-9]\d{0,8}", re.ASCII)
# Booster.predict of a DMatrix, unlike the in-place one, is not promised to many threads at once.
ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is asked for of KINDS, and of how many names the contributions are told, None for all."""

    kinds: frozenset[str]
    top: int | None = None


def explanation_of(parameters: Mapping[str, str], accept: str, model: Model) -> Explanation | None:
    """Return what the parameters of Accept ask for, None if nothing; raises NotAcceptable."""
    if EXPLAIN not in parameters:
        return None
    asked = frozenset(SEPARATORS.split(parameters[EXPLAIN].strip().lower()))
    if not asked <= set(KINDS):
        raise NotAcceptable(
            f"Accept: explain={quoted(parameters[EXPLAIN])}: expected {', '.join(KINDS)}, or some of them joined by +"
        )
    if LEAVES in asked and (model.members or model.kind == "gblinear"):
        raise NotAcceptable(
            f"Accept: explain=leaves: {'an ensemble' if model.members else 'a linear booster'} has none to tell"
        )
    return Explanation(asked, _top(parameters.get(TOP), asked, accept))


def _top(text: str | None, asked: frozenset[str], accept: str) -> int | None:
    if text is None:
        return None
    if not WHOLE_NUMBER.fullmatch(text):
        raise NotAcceptable(f"Accept: top={quoted(text)}: expected a whole number from 1")
    if CONTRIBUTIONS not in asked or accept not in (JSON, JSON_LINES):
        raise NotAcceptable(
            f"Accept: top={text}: it goes with explain=contributions and {JSON} or {JSON_LINES}, which name them"
        )
    return int(text)


def explained(
    model: Model, features: NDArray[np.float32], explanation: Explanation
) -> dict[str, Column]:
    """Return the columns of an explanation, those of an ensemble the mean of its members': in the order of KINDS.

    Margins are float32 (n,) or (n, k); contributions (n, f) or (n, f, k) with a bias as the margins, and add up to these;
    leaves int64 (n, trees). Raises NotAcceptable where XGBoost has none for this kind of model.
    """
    columns: dict[str, Column] = {}
    if MARGIN in explanation.kinds:
        columns[MARGIN] = _mean_of(model, features, output_margin=True)
    if CONTRIBUTIONS in explanation.kinds:
        values = _mean_of(model, features, pred_contribs=True)
        if values.ndim > 2:  # noqa: PLR2004  # rows, classes, features and the bias: the classes go last
            values = values.transpose(0, 2, 1)
        columns[CONTRIBUTIONS] = ValuesByName(_names(model), values[:, :-1], explanation.top)
        columns[BIAS] = values[:, -1]
    if LEAVES in explanation.kinds:
        columns[LEAVES] = (
            _told(model, features, pred_leaf=True).reshape(len(features), -1).astype(np.int64)
        )
    return columns


def _names(model: Model) -> tuple[str, ...]:
    """Return the features' names, those that XGBoost itself makes up where they have none."""
    return model.schema.names or tuple(f"f{place}" for place in range(model.schema.width))


def _mean_of(model: Model, features: NDArray[np.float32], **wanted: bool) -> NDArray[np.float32]:
    members = [_told(each, features, **wanted) for each in model.members or (model,)]
    return mean(members) if len(members) > 1 else members[0]


def _told(model: Model, features: NDArray[np.float32], **wanted: Any) -> NDArray[np.float32]:
    """Return what XGBoost tells of the rounds that predict; a linear booster has no rounds."""
    rounds = {} if model.kind == "gblinear" else {"iteration_range": (0, model.rounds)}
    try:
        with ONE_AT_A_TIME:
            matrix = xgboost.DMatrix(features, nthread=1)
            values: NDArray[np.float32] = model.booster.predict(
                matrix, validate_features=False, **wanted, **rounds
            )
    except xgboost.core.XGBoostError as error:
        raise NotAcceptable(
            f"Accept: {EXPLAIN}: XGBoost {xgboost.__version__} has no such explanation of this model"
        ) from error
    return values
