"""Training: fit a small model by its recipe, and save it as an artifact."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray

from tests.adversary.columns import Column
from tests.adversary.models import Model, find_splits

ROWS = 400
CLASSES = 4
TYPES = {"number": "q", "boolean": "i", "label": "c", "code": "c"}

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train a model and how to serve it.

    Attributes:
        target: the kind of target: real, positive, counts, binary, classes, ranks or intervals.
        members: the number of models of an ensemble, or 1.
        best_rounds: the number of rounds up to the best iteration, if training stopped early.
        schema: the top-level keys of schema.json besides ``features``, or None for no schema.json.
        labels_in_model: whether the booster is trained on a DataFrame with the labels.

    """

    columns: tuple[Column, ...]
    names: tuple[str, ...] | None = None
    objective: str = "reg:squarederror"
    target: str = "real"
    parameters: dict[str, Any] = field(default_factory=dict)
    rounds: int = 8
    members: int = 1
    best_rounds: int | None = None
    schema: dict[str, Any] | None = None
    labels_in_model: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def missing_value(self) -> float | None:
        """The number that means missing in all columns that do not say otherwise."""
        return (self.schema or {}).get("missing_value")


def train(name: str, recipe: Recipe, folder: Path) -> Model:
    """Train and save the model of a recipe; the result depends only on the recipe."""
    folder.mkdir(parents=True)
    boosters = [_fit(recipe, seed) for seed in range(recipe.members)]
    files = [folder / ("model.ubj" if recipe.members == 1 else f"xgboost-model-{number}")
             for number in range(recipe.members)]  # fmt: skip
    with xgboost.config_context(verbosity=0):
        for booster, file in zip(boosters, files, strict=True):
            file.write_bytes(booster.save_raw("ubj"))
    if recipe.schema is not None:
        document = {**recipe.schema, "features": _describe(recipe)}
        text = json.dumps(document, ensure_ascii=False)
        (folder / "schema.json").write_text(text, encoding="utf-8")
    return Model(
        name,
        tuple(files),
        recipe.columns,
        recipe.names,
        tuple(TYPES[column.kind] for column in recipe.columns),
        find_splits(boosters[0], len(recipe.columns)),
        recipe.objective,
        CLASSES if recipe.target == "classes" else 2,
        _find_libsvm_base(recipe),
        recipe.best_rounds,
        recipe.environment,
    )


def _find_libsvm_base(recipe: Recipe) -> int:
    in_environment = recipe.environment.get("SERVE_LIBSVM_BASE", "0")
    return int((recipe.schema or {}).get("libsvm_base", in_environment))


def _describe(recipe: Recipe) -> list[dict[str, Any]]:
    """Return the features of schema.json."""
    features = []
    for index, column in enumerate(recipe.columns):
        feature: dict[str, Any] = {"type": TYPES[column.kind], "missing": not column.required}
        if recipe.names is not None:
            feature["name"] = recipe.names[index]
        if column.labels:
            feature["categories"] = list(column.labels)
        elif column.code_count:
            feature["codes"] = column.code_count
        if column.marker != recipe.missing_value:
            feature["missing_value"] = column.marker
        features.append(feature)
    return features


def _fit(recipe: Recipe, seed: int) -> xgboost.Booster:
    random = np.random.default_rng(seed)
    features = np.stack([_draw(column, random) for column in recipe.columns], axis=1)
    matrix = xgboost.DMatrix(
        _to_frame(recipe, features) if recipe.labels_in_model else features,
        feature_names=None if recipe.names is None else list(recipe.names),
        feature_types=None
        if recipe.labels_in_model
        else [TYPES[column.kind] for column in recipe.columns],
        enable_categorical=True,
        nthread=1,
    )
    _set_target(matrix, recipe.target, features, random)
    parameters = {"max_depth": 4, "seed": seed, "nthread": 1, "objective": recipe.objective}
    if recipe.target == "classes":
        parameters["num_class"] = CLASSES
    with xgboost.config_context(verbosity=0):
        booster = xgboost.train({**parameters, **recipe.parameters}, matrix, recipe.rounds)
    if recipe.best_rounds is not None:
        booster.set_attr(best_iteration=str(recipe.best_rounds - 1))
    return booster


def _draw(column: Column, random: np.random.Generator) -> Floats:
    """Return the training values of a column, float32 (n,), some of them missing."""
    if column.code_count:
        values = random.integers(0, column.code_count, ROWS).astype(np.float32)
    elif column.kind == "boolean":
        values = random.integers(0, 2, ROWS).astype(np.float32)
    else:
        values = (2 * random.standard_normal(ROWS)).round(2).astype(np.float32)
    if not column.required:
        values[random.random(ROWS) < 0.1] = np.nan
    return values


def _to_frame(recipe: Recipe, features: Floats) -> pd.DataFrame:
    names = recipe.names or [f"f{index}" for index in range(len(recipe.columns))]
    series = {}
    for name, column, values in zip(names, recipe.columns, features.T, strict=True):
        codes = np.nan_to_num(values, nan=-1).astype(int)
        series[name] = (
            pd.Series(pd.Categorical.from_codes(codes, list(column.labels)))
            if column.labels
            else pd.Series(values)
        )
    return pd.DataFrame(series)


def _set_target(
    matrix: xgboost.DMatrix, kind: str, features: Floats, random: np.random.Generator
) -> None:
    known = np.nan_to_num(features)
    weights = random.standard_normal(known.shape[1])
    score = known @ weights + random.standard_normal(ROWS)
    if kind == "ranks":
        matrix.set_group([ROWS // 20] * 20)
    if kind == "intervals":
        lower = np.exp(score / 8)
        matrix.set_float_info("label_lower_bound", lower)
        matrix.set_float_info("label_upper_bound", lower * 1.5)
        return
    targets = {
        "real": score,
        "positive": np.exp(score / 8),
        "counts": np.floor(np.exp(np.clip(score, -3, 3) / 3)),
        "binary": score > 0,
        "classes": np.digitize(score, np.quantile(score, (0.25, 0.5, 0.75))),
        "ranks": np.digitize(score, np.quantile(score, (0.25, 0.5, 0.75))),
        "several": np.stack([score, -score, score**2], axis=1),
    }
    matrix.set_label(targets[kind])
