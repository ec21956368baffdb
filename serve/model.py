"""Model: an XGBoost booster, and the schema of the features it takes."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.artefact import SCHEMA_NAME, ModelFile, find_model
from serve.categories import code_counts_of, has_cut_labels, labels_of
from serve.dense import Predict, dense_predictor
from serve.description import LIBSVM_BASE, MOST_CODES, Description, SchemaFile, read_schema
from serve.ensemble import VOTING, check_agreement, deviation, mean, vote
from serve.errors import BadArtefact
from serve.feature import CodeFeature, Feature, LabelFeature
from serve.schema import Schema
from serve.settings import Settings
from serve.wording import counted, listed, quoted

CPLUSPLUS_PLACE = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+: ")
# Enough to find a moment without disturbance, and to fill a block of XGBoost's predictor.
WARM_UPS = 5
WARM_UP_ROWS = 64
NUMERIC_TYPES = {"float", "int", "q"}


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
            return np.concatenate([self.call(features[row : row + 1]) for row in range(len(features))])
        return self.call(features)

    def predict_spread(self, features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return the predictions, and the standard deviation of the members' where their mean is taken, float32 both."""
        if not self.members or self.objective in VOTING:
            return self.predict(features), None
        predictions = [each.call(features) for each in self.members]
        return mean(predictions), deviation(predictions)


def load(settings: Settings) -> Model:
    """Return the model of the settings' folder after it has answered a warm-up prediction; raises BadArtefact."""
    file = find_model(settings.model_folder, ensemble=settings.ensemble)
    members = tuple(_load(each, settings) for each in file.members)
    model = _together(file, members) if len(members) > 1 else members[0]
    return replace(model, **_measured(model.call, model.schema.width))


def _together(file: ModelFile, members: tuple[Model, ...]) -> Model:
    """Return an ensemble as one model; raises BadArtefact if its members do not agree."""
    check_agreement({each.file.path: _agreed_facts(each) for each in members})
    combined = vote if members[0].objective in VOTING else mean
    calls = [each.call for each in members]
    return replace(members[0], file=file, members=members, call=lambda features: combined([call(features) for call in calls]))


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
    _check_writer(file, allow_newer=settings.allow_newer)
    booster = _booster(file.path)
    described = read_schema(settings.model_folder / SCHEMA_NAME)
    unknown_is_missing = settings.unknown_category == "missing"
    features = described.features if described else None
    schema = _schema(booster, file.writer, features, unknown_is_missing=unknown_is_missing)
    schema = replace(schema, libsvm_base=_libsvm_base(described, settings.libsvm_base))
    learner = json.loads(booster.save_config())["learner"]
    rounds = booster.num_boosted_rounds()
    if settings.early_stopping:
        rounds = _best_round(booster.attr("best_iteration"), rounds)
    kind = learner["gradient_booster"]["name"]
    call = _linear_predictor(booster) if kind == "gblinear" else dense_predictor(booster, rounds)
    classes = int(learner["learner_model_param"]["num_class"])
    return Model(file, schema, booster, kind, learner["objective"]["name"], rounds, classes, call)


def _linear_predictor(booster: xgboost.Booster) -> Predict:
    """Return the prediction of a linear booster, which has no in-place prediction, and no rounds."""
    return lambda features: booster.predict(xgboost.DMatrix(features, nthread=1), validate_features=False)


def _measured(call: Predict, width: int) -> dict[str, Any]:
    """Return how many rows are predicted sooner one by one, and the seconds that one of many takes, by warm-up predictions.

    XGBoost from 3.1 on walks all nodes of all trees at each call, from 3.4 on except for a single row (dmlc/xgboost#12307).
    """
    one, two, many = (_least_seconds(call, np.zeros((rows, width), dtype=np.float32)) for rows in (1, 2, WARM_UP_ROWS))
    return {"singly": int(two / one), "row_seconds": many / WARM_UP_ROWS}


def _least_seconds(call: Predict, features: NDArray[np.float32]) -> float:
    """Return how long a prediction takes that nothing disturbs."""
    seconds = []
    for _ in range(WARM_UPS):
        started = perf_counter()
        call(features)
        seconds.append(perf_counter() - started)
    return min(seconds)


def _libsvm_base(described: SchemaFile | None, setting: int | None) -> int:
    """Return the index of the first feature in text/libsvm, never guessed; raises BadArtefact if two say different ones."""
    own = described.libsvm_base if described else None
    if None not in (own, setting) and own != setting:
        raise BadArtefact(f'{SCHEMA_NAME} says "{LIBSVM_BASE}": {own}, but SERVE_LIBSVM_BASE is {setting}')
    return own or setting or 0


def _best_round(best_iteration: str | None, rounds: int) -> int:
    """Return how many rounds an early stop left, all of them without one; raises BadArtefact if the attribute means nothing."""
    if best_iteration is None:
        return rounds
    if not best_iteration.isdecimal() or int(best_iteration) >= rounds:
        raise BadArtefact(f"the model's best_iteration is {quoted(best_iteration)}, and it has {counted(rounds, 'round')}")
    return int(best_iteration) + 1


def _check_writer(file: ModelFile, *, allow_newer: bool) -> None:
    """Refuse a model that a newer XGBoost wrote, which older ones load in silence and predict wrongly with."""
    runtime = tuple(map(int, xgboost.__version__.split(".")[:2]))
    if file.writer[:2] > runtime and not allow_newer:
        written = ".".join(map(str, file.writer))
        raise BadArtefact(
            f"{file.path} was written by XGBoost {written}, newer than the {xgboost.__version__} here, "
            f"which may predict wrongly with it: save it with XGBoost {runtime[0]}.{runtime[1]} or older, "
            "or set SERVE_ALLOW_NEWER_MODEL=true"
        )


def _booster(path: Path) -> xgboost.Booster:
    try:
        # One thread: OpenMP's threads do not survive the fork of the workers (dmlc/xgboost#8040).
        # By its bytes: by its name, XGBoost would guess the format of a file without a known ending.
        return xgboost.Booster({"nthread": 1}, model_file=bytearray(path.read_bytes()))
    except (xgboost.core.XGBoostError, UnicodeDecodeError) as error:  # its message may quote bytes that are no text
        raise BadArtefact(f"{path}: XGBoost {xgboost.__version__} cannot read it: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return the sentence of a message from XGBoost's C++ code, without the time, the place and the stack around it."""
    return CPLUSPLUS_PLACE.sub("", str(error).splitlines()[0]).removeprefix("Check failed: ")


def _schema(
    booster: xgboost.Booster, writer: tuple[int, ...], described: Sequence[Description] | None, *, unknown_is_missing: bool
) -> Schema:
    """Return the features that the booster knows and what schema.json adds; raises BadArtefact where they contradict."""
    own = _descriptions(booster)
    trusted = [replace(each, categories=()) if has_cut_labels(each.categories, writer) else each for each in own]
    if described is not None and len(described) != len(own):
        raise BadArtefact(f"{SCHEMA_NAME} describes {counted(len(described), 'feature')}, the model has {len(own):,}")
    merged = [_merged(*each) for each in zip(range(1, len(own) + 1), described or trusted, trusted, strict=True)]
    for place, (each, all_of_it) in enumerate(zip(merged, own, strict=True), 1):
        if each.type != "c" and (each.categories or each.codes):
            raise BadArtefact(f'{SCHEMA_NAME}, feature {place}: it has "categories" or "codes", but its "type" is not "c"')
        if all_of_it.categories and not each.categories:
            raise BadArtefact(
                f"feature {place} ({quoted(each.name)}): XGBoost before 3.4 cuts labels that are not ASCII when it writes them; "
                f'list them in {SCHEMA_NAME} as "categories", in the order of their codes'
            )
    names = None if any(each.name is None for each in merged) else tuple(str(each.name) for each in merged)
    return Schema(tuple(_feature(each, unknown_is_missing=unknown_is_missing) for each in merged), names)


def _descriptions(booster: xgboost.Booster) -> list[Description]:
    """Return what the booster itself knows of its features, in order."""
    width = booster.num_features()
    names: Sequence[str | None] = booster.feature_names or [None] * width
    types: Sequence[str | None] = booster.feature_types or [None] * width
    if {len(names), len(types)} != {width}:
        raise BadArtefact(f"the model has {counted(width, 'feature')}, but {len(names):,} names and {len(types):,} types of them")
    if "c" not in types:
        return [Description(name, type_) for name, type_ in zip(names, types, strict=True)]
    learner = json.loads(booster.save_raw("json"))["learner"]
    known = zip(names, types, labels_of(learner, width), code_counts_of(learner, width), strict=True)
    return [Description(*each) for each in known]


def _merged(place: int, described: Description, own: Description) -> Description:
    """Return what schema.json says of a feature, completed by the booster; raises BadArtefact where they contradict."""
    for key in ("name", "type", "categories"):
        theirs, ours = getattr(described, key), getattr(own, key)
        if theirs and ours and theirs != ours and not (key == "type" and {theirs, ours} <= NUMERIC_TYPES):
            raise BadArtefact(f'{SCHEMA_NAME}, feature {place}: its "{key}" is {_said(theirs)}, but the model knows {_said(ours)}')
    return Description(
        described.name or own.name,
        described.type or own.type,
        described.categories or own.categories,
        described.codes or own.codes,
        described.missing,
    )


def _said(value: str | tuple[str, ...]) -> str:
    return quoted(value) if isinstance(value, str) else listed(value)


def _feature(known: Description, *, unknown_is_missing: bool) -> Feature:
    if known.type != "c":
        return Feature(known.type or "q", known.missing)
    if known.categories:
        return LabelFeature("c", known.missing, known.categories, unknown_is_missing)
    return CodeFeature("c", known.missing, known.codes or MOST_CODES, unknown_is_missing)  # 0: no split asks for the category
