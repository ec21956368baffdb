"""A loaded model: an XGBoost booster, or an ensemble of them, and the schema of its features."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.errors import BadArtifact
from serve.model.artifact import ModelFile, find_model
from serve.model.booster import COPY_AGAIN, read_booster, summarize_error
from serve.model.classes import Classes, read_classes
from serve.model.ensemble import (
    VOTING_OBJECTIVES,
    majority_vote,
    mean,
    standard_deviation,
)
from serve.model.ensemble_agreement import (
    Member,
    check_members_agree,
    list_schema_properties,
    list_stated_properties,
)
from serve.model.estimator import read_estimator
from serve.model.files.names import SCHEMA_NAME
from serve.model.native_predict import Predictor
from serve.model.predictors import choose_predictor
from serve.model.rounds import choose_rounds
from serve.model.schema_json.class_conflicts import check_classes
from serve.model.schema_json.file import SchemaConflict, read_schema_file
from serve.model.schema_json.merge import merge_schema
from serve.model.schema_json.warnings import find_schema_warnings
from serve.model.warm_up import measure_speed
from serve.schema.schema import Schema
from serve.settings import Settings
from serve.text import printable

# What the parts of a damaged model that contradict each other raise, after XGBoost loaded it.
DAMAGE = (xgboost.core.XGBoostError, ValueError, LookupError, TypeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Model:
    """A booster with its schema. Threads may predict concurrently (dmlc/xgboost#5339).

    Attributes:
        booster_type: XGBoost's ``booster`` parameter: gbtree, dart or gblinear.
        rounds_used: the number of boosting rounds that predict, which early stopping reduces.
        class_count: the number of classes of a multi-class model, otherwise 0.
        classes: the names of the classes, if they are known.
        predictor: predicts all rows in one call.
        predictor_name: whether the kernel or XGBoost predicts, and why.
        max_rows_one_by_one: up to this many rows, a call for each row is faster than one for all.
        seconds_per_row: the approximate prediction time of one row among many.
        members: the models of an ensemble, whose ``booster`` and ``rounds_used`` are those of the
            first member; empty for a single model.
        warnings: what the operator should check, because the server cannot know it.

    """

    file: ModelFile
    schema: Schema
    booster: xgboost.Booster
    booster_type: str
    objective: str
    rounds_used: int
    class_count: int
    predictor: Predictor
    predictor_name: str
    max_rows_one_by_one: int = 1
    seconds_per_row: float = 0.0
    members: tuple["Model", ...] = ()
    warnings: tuple[str, ...] = ()
    classes: Classes | None = None

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the predictions, float32 (n,) or (n, k), for features, float32 (n, f) with n > 0.

        The predictions equal those of Booster.predict(DMatrix) bit for bit.
        """
        if 1 < len(features) <= self.max_rows_one_by_one:
            rows = (features[row : row + 1] for row in range(len(features)))
            return np.concatenate([self.predictor(row) for row in rows])
        return self.predictor(features)

    def predict_with_spread(
        self, features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return the predictions and the standard deviation over an ensemble's members.

        Both are float32 (n,) or (n, k). The deviation is None for a single model, and for an
        ensemble whose members vote.
        """
        if not self.members or self.objective in VOTING_OBJECTIVES:
            return self.predict(features), None
        predictions = [member.predictor(features) for member in self.members]
        return mean(predictions), standard_deviation(predictions)


def load_model(settings: Settings, file: ModelFile | None = None) -> Model:
    """Return the model of the settings' model directory, warmed up; raises BadArtifact.

    ``file`` is the model file, if it has been found before.
    """
    if file is None:
        file = find_model(settings.model_folder, ensemble=settings.ensemble)
    members = tuple(_load_member(member, settings) for member in file.members)
    model = _combine(file, members) if len(members) > 1 else members[0]
    max_rows_one_by_one, seconds_per_row = measure_speed(model.predictor, model.schema.width)
    return replace(
        model,
        max_rows_one_by_one=max_rows_one_by_one,
        seconds_per_row=seconds_per_row,
        warnings=(*file.warnings, *model.warnings, *find_schema_warnings(model.schema)),
    )


def _combine(file: ModelFile, members: tuple[Model, ...]) -> Model:
    """Return an ensemble as one model; raises BadArtifact if its members do not agree."""
    check_members_agree([_describe_member(member) for member in members])
    combine = majority_vote if members[0].objective in VOTING_OBJECTIVES else mean
    predictors = [member.predictor for member in members]
    return replace(
        members[0],
        file=file,
        members=members,
        predictor=lambda features: combine([predictor(features) for predictor in predictors]),
        predictor_name=_join_predictor_names(members),
        warnings=tuple(chain.from_iterable(member.warnings for member in members)),
        classes=next((member.classes for member in members if member.classes), None),
    )


def _join_predictor_names(members: tuple[Model, ...]) -> str:
    names = {printable(member.file.name): member.predictor_name for member in members}
    if len(set(names.values())) == 1:
        return members[0].predictor_name
    return "; ".join(f"{file}: {name}" for file, name in names.items())


def _describe_member(model: Model) -> Member:
    """Return the properties that a model must share with the other members of its ensemble."""
    probe = np.zeros((1, model.schema.width), dtype=np.float32)
    required = {
        "objective": model.objective,
        "number of features": model.schema.width,
        **list_schema_properties(model.schema),
        "number of classes": model.class_count,
        "number of outputs": model.predictor(probe).size,
    }
    return Member(model.file, required, list_stated_properties(model.file, model.booster))


def _load_member(file: ModelFile, settings: Settings) -> Model:
    """Return the model in one file; raises BadArtifact, also if XGBoost loads a damaged file."""
    try:
        return _load_file(file, settings)
    except DAMAGE as error:
        reason = summarize_error(error)
        raise BadArtifact(
            f"{printable(file.path)}: XGBoost loads the file, but cannot use it ({reason}): "
            f"the file may be damaged: {COPY_AGAIN}"
        ) from error


def _load_file(file: ModelFile, settings: Settings) -> Model:
    """Return the model in one file."""
    booster = read_booster(file, allow_newer=settings.allow_newer)
    learner = json.loads(booster.save_config())["learner"]
    schema, classes = _read_schema(file, booster, learner, settings)
    booster_type = learner["gradient_booster"]["name"]
    rounds = choose_rounds(booster, booster_type, settings.early_stopping)
    predictor, predictor_name = choose_predictor(
        booster, booster_type, rounds.used, settings.kernel
    )
    objective = learner["objective"]["name"]
    warnings = [f"{file.path}: {warning}" for warning in (rounds.warning,) if warning]
    return Model(
        file,
        schema,
        booster,
        booster_type,
        objective,
        rounds.used,
        int(learner["learner_model_param"]["num_class"]),
        predictor,
        predictor_name,
        warnings=tuple(warnings),
        classes=classes,
    )


def _read_schema(
    file: ModelFile, booster: xgboost.Booster, learner: Mapping[str, Any], settings: Settings
) -> tuple[Schema, Classes | None]:
    """Return the schema and the classes of a model file.

    Raises BadArtifact, with the path of schema.json.
    """
    path = file.schema or file.path.with_name(SCHEMA_NAME)
    schema_file = read_schema_file(path)
    estimator = read_estimator(booster)
    try:
        schema = merge_schema(booster, file.writer_version, schema_file, estimator, settings)
        check_classes(schema_file, learner, estimator)
    except SchemaConflict as error:
        raise BadArtifact(f"{path}: {error}") from error
    return schema, read_classes(schema_file, learner, estimator)
