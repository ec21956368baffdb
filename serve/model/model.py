"""Model: an XGBoost booster, and the schema of the features it takes."""

import json
import threading
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.errors import BadArtifact
from serve.model.artifact import SCHEMA_NAME, ModelFile, find_model
from serve.model.booster import read_booster
from serve.model.ensemble import VOTING, check_agreement, deviation, mean, vote
from serve.model.native_predict import Predict, native_predictor
from serve.model.schema_file import read_schema
from serve.model.schema_merge import check_classes, merge_schema
from serve.schema.schema import Schema
from serve.settings import Settings
from serve.text import counted, quoted

# Enough to find a moment without disturbance, and to fill a block of XGBoost's predictor.
WARM_UPS = 5
WARM_UP_ROWS = 64


@dataclass(frozen=True, slots=True)
class Model:
    """A booster with its schema; many threads may predict at once (dmlc/xgboost#5339).

    ``rounds`` are the boosting rounds that predict, of which there may be more after an early stop. Up to ``singly`` rows
    are predicted sooner one by one, and a row takes about ``row_seconds``. An ensemble has ``members``, and of its first the
    booster and the rounds; ``classes`` is how many a multi-class model tells apart, else 0.
    """

    file: ModelFile
    schema: Schema
    booster: xgboost.Booster
    kind: str
    objective: str
    rounds: int
    classes: int
    call: Predict
    singly: int = 1
    row_seconds: float = 0.0
    members: tuple["Model", ...] = ()

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the predictions, float32 (n,) or (n, k), of features, float32 (n, f) with n > 0.

        They are those of Booster.predict(DMatrix), bit for bit.
        """
        if 1 < len(features) <= self.singly:
            return np.concatenate(
                [self.call(features[row : row + 1]) for row in range(len(features))]
            )
        return self.call(features)

    def predict_spread(
        self, features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return the predictions, and the standard deviation of the members' where their mean is taken, float32 both."""
        if not self.members or self.objective in VOTING:
            return self.predict(features), None
        predictions = [each.call(features) for each in self.members]
        return mean(predictions), deviation(predictions)


def load(settings: Settings) -> Model:
    """Return the model of the settings' folder after it has answered a warm-up prediction; raises BadArtifact."""
    file = find_model(settings.model_folder, ensemble=settings.ensemble)
    members = tuple(_load(each, settings) for each in file.members)
    model = _together(file, members) if len(members) > 1 else members[0]
    return replace(model, **_measured(model.call, model.schema.width))


def _together(file: ModelFile, members: tuple[Model, ...]) -> Model:
    """Return an ensemble as one model; raises BadArtifact if its members do not agree."""
    check_agreement({each.file.path: _agreed_facts(each) for each in members})
    combined = vote if members[0].objective in VOTING else mean
    calls = [each.call for each in members]
    return replace(
        members[0],
        file=file,
        members=members,
        call=lambda features: combined([call(features) for call in calls]),
    )


def _agreed_facts(model: Model) -> dict[str, object]:
    """Return what all members of an ensemble have in common, each under its name in a message."""
    return {
        "objective": model.objective,
        "number of features": model.schema.width,
        "column names": model.schema.names,
        "columns": [str(feature) for feature in model.schema.features],
        "number of classes": model.classes,
        "number of outputs": model.call(np.zeros((1, model.schema.width), dtype=np.float32)).size,
    }


def _load(file: ModelFile, settings: Settings) -> Model:
    """Return the model of one file."""
    booster = read_booster(file, allow_newer=settings.allow_newer)
    described = read_schema(settings.model_folder / SCHEMA_NAME)
    schema = merge_schema(booster, file.writer, described, settings)
    learner = json.loads(booster.save_config())["learner"]
    rounds = booster.num_boosted_rounds()
    if settings.early_stopping:
        rounds = _best_round(booster.attr("best_iteration"), rounds)
    kind = learner["gradient_booster"]["name"]
    call = (
        native_predictor(booster, rounds)
        if kind == "gbtree"
        else _matrix_predictor(booster, kind, rounds)
    )
    shape = learner["learner_model_param"]
    classes = int(shape["num_class"])
    check_classes(described, max(classes, int(shape.get("num_target", 1))))
    return Model(file, schema, booster, kind, learner["objective"]["name"], rounds, classes, call)


def _best_round(best_iteration: str | None, rounds: int) -> int:
    """Return how many rounds an early stop left, all of them without one; raises BadArtifact if the attribute means nothing."""
    if best_iteration is None:
        return rounds
    if not best_iteration.isdecimal() or int(best_iteration) >= rounds:
        raise BadArtifact(
            f"the model's best_iteration is {quoted(best_iteration)}, and it has {counted(rounds, 'round')}"
        )
    return int(best_iteration) + 1


def _matrix_predictor(booster: xgboost.Booster, kind: str, rounds: int) -> Predict:
    """Return Booster.predict, for what has no in-place prediction, gblinear, or one that rounds otherwise, dart.

    XGBoost does not promise it to many threads, so that they take turns.
    """
    limits = (
        {} if kind == "gblinear" else {"iteration_range": (0, rounds)}
    )  # a linear booster has no rounds
    turn = threading.Lock()

    def predict(features: NDArray[np.float32]) -> NDArray[np.float32]:
        with turn:
            predictions: NDArray[np.float32] = booster.predict(
                xgboost.DMatrix(features, nthread=1), validate_features=False, **limits
            )
        return predictions

    return predict


def _measured(call: Predict, width: int) -> dict[str, Any]:
    """Return how many rows are predicted sooner one by one, and the seconds that one of many takes, by warm-up predictions.

    XGBoost from 3.1 on walks all nodes of all trees at each call, from 3.4 on except for a single row (dmlc/xgboost#12307).
    """
    one, two, many = (
        _least_seconds(call, np.zeros((rows, width), dtype=np.float32))
        for rows in (1, 2, WARM_UP_ROWS)
    )
    return {"singly": int(two / one), "row_seconds": many / WARM_UP_ROWS}


def _least_seconds(call: Predict, features: NDArray[np.float32]) -> float:
    """Return how long a prediction takes that nothing disturbs."""
    seconds = []
    for _ in range(WARM_UPS):
        started = perf_counter()
        call(features)
        seconds.append(perf_counter() - started)
    return min(seconds)
