"""Model: an XGBoost booster, and the schema of the features it takes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.artefact import SCHEMA_NAME, find_model, writer_of
from serve.categories import code_counts_of, has_cut_labels, labels_of
from serve.description import Description, read_schema
from serve.errors import BadArtefact
from serve.feature import CodeFeature, Feature, LabelFeature
from serve.schema import Schema
from serve.settings import Settings
from serve.wording import counted, listed, quoted

NUMERIC_TYPES = {"float", "int", "q"}


@dataclass(frozen=True, slots=True)
class Model:
    """A booster with its schema; many threads may predict at once (dmlc/xgboost#5339)."""

    schema: Schema
    booster: xgboost.Booster
    rounds: tuple[int, int]
    in_place: bool

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the predictions, float32 (n,) or (n, k), of features, float32 (n, f), as Booster.predict(DMatrix) returns them."""
        if self.in_place:
            return self.booster.inplace_predict(features, iteration_range=self.rounds, validate_features=False)
        return self.booster.predict(xgboost.DMatrix(features, nthread=1), iteration_range=self.rounds, validate_features=False)


def load(settings: Settings) -> Model:
    """Return the model of the settings' folder after it has answered a warm-up prediction; raises BadArtefact."""
    path = find_model(settings.model_folder)
    booster = _booster(path)
    described = read_schema(settings.model_folder / SCHEMA_NAME)
    unknown_is_missing = settings.unknown_category == "missing"
    schema = _schema(booster, writer_of(path), described, unknown_is_missing=unknown_is_missing)
    kind = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
    best = booster.attr("best_iteration")
    model = Model(schema, booster, rounds=(0, 0 if best is None else int(best) + 1), in_place=kind != "gblinear")
    model.predict(np.zeros((1, schema.width), dtype=np.float32))
    return model


def _booster(path: Path) -> xgboost.Booster:
    try:
        # One thread: OpenMP's threads do not survive the fork of the workers (dmlc/xgboost#8040).
        return xgboost.Booster({"nthread": 1}, model_file=path)
    except (xgboost.core.XGBoostError, UnicodeDecodeError) as error:  # its message may quote bytes that are no text
        raise BadArtefact(f"{path}: XGBoost {xgboost.__version__} cannot read it: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return the sentence of a message from XGBoost's C++ code, without the time, the place and the stack around it."""
    return str(error).splitlines()[0].rpartition("Check failed: ")[2]


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
    return CodeFeature("c", known.missing, known.codes, unknown_is_missing)
