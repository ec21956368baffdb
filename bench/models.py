"""The models that are served, the rows that are sent, and the predictions by XGBoost itself.

Source of a, b and c: three sizes of model between which the costs of a request move from HTTP to the trees.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from bench.places import ROOT, WORK

SEED = 20261124
MOST_ROWS = 10_000
TRAINING_ROWS = 8_000
DIAMONDS = ROOT / "model" / "artifact"
PARAMETERS: dict[str, dict[str, Any]] = {
    "a": {"features": 8, "rounds": 100, "max_depth": 4, "objective": "reg:squarederror"},
    "b": {"features": 30, "rounds": 500, "max_depth": 6, "objective": "binary:logistic"},
    "c": {
        "features": 100,
        "rounds": 334,
        "max_depth": 8,
        "min_child_weight": 0.3,
        "objective": "multi:softprob",
        "num_class": 3,
    },
}
NAMES = (*PARAMETERS, "diamonds", "codes")

Row = Sequence[float | str]


@dataclass(frozen=True, slots=True)
class Served:
    """A model's folder, rows as callers send them, and what XGBoost predicts of each."""

    name: str
    folder: Path
    rows: Sequence[Row]
    expected: NDArray[np.float32]

    @property
    def file(self) -> Path:
        return self.folder / "model.ubj"


def served(name: str) -> Served:
    """Return one of the models by its name, made if it is not there yet."""
    return _trained(name) if name in PARAMETERS else _diamonds(labels=name == "diamonds")


def numbers(features: int, rows: int, seed: int = SEED) -> NDArray[np.float64]:
    """Return random numbers with four decimals, (rows, features)."""
    return np.random.default_rng(seed).standard_normal((rows, features)).round(4)


def _trained(name: str) -> Served:
    parameters = dict(PARAMETERS[name])
    features, rounds = parameters.pop("features"), parameters.pop("rounds")
    folder = WORK / "models" / name
    if not (folder / "model.ubj").exists():
        folder.mkdir(parents=True, exist_ok=True)
        booster = _train(features, rounds, parameters)
        booster.save_model(folder / "model.ubj")
    rows = numbers(features, MOST_ROWS)
    booster = xgboost.Booster(model_file=folder / "model.ubj")
    return Served(
        name, folder, rows.tolist(), booster.predict(xgboost.DMatrix(rows.astype(np.float32)))
    )


def _train(features: int, rounds: int, parameters: dict[str, Any]) -> xgboost.Booster:
    """Train on a target that every feature has a part in, and noise, so that the trees fill up."""
    matrix = numbers(features, TRAINING_ROWS, SEED + 1)
    random = np.random.default_rng(SEED + 2)
    target: NDArray[Any] = np.sin(2 * matrix) @ random.standard_normal(
        features
    ) + random.standard_normal(TRAINING_ROWS)
    if classes := parameters.get(
        "num_class", 2 if parameters["objective"] == "binary:logistic" else 0
    ):
        target = np.digitize(target, np.quantile(target, np.arange(1, classes) / classes))
    fixed = {
        "seed": SEED,
        "nthread": 1,
        "learning_rate": 0.1,
    }  # the sums of several threads depend on their timing
    return xgboost.train({**parameters, **fixed}, xgboost.DMatrix(matrix, target), rounds)


def _diamonds(*, labels: bool) -> Served:
    """Return the sample model with random stones, or its trees alone, fed the codes of the same stones' labels."""
    features = json.loads((DIAMONDS / "schema.json").read_text(encoding="utf-8"))["features"]
    random = np.random.default_rng(SEED)
    codes = np.column_stack([_column(feature, random) for feature in features])
    booster = xgboost.Booster(model_file=DIAMONDS / "model.ubj")
    matrix = xgboost.DMatrix(
        codes.astype(np.float32),
        feature_names=booster.feature_names,
        feature_types=booster.feature_types,
    )
    expected = booster.predict(matrix)
    if labels:
        return Served(
            "diamonds", DIAMONDS, [_with_labels(row, features) for row in codes.tolist()], expected
        )
    folder = WORK / "models" / "codes"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(DIAMONDS / "model.ubj", folder)
    return Served("codes", folder, [_with_codes(row, features) for row in codes.tolist()], expected)


def _column(feature: dict[str, Any], random: np.random.Generator) -> NDArray[np.float64]:
    if labels := feature.get("categories"):
        return random.integers(len(labels), size=MOST_ROWS).astype(float)
    least, most = feature["range"]
    return random.uniform(least, most, size=MOST_ROWS).round(2)


def _with_labels(row: Sequence[float], features: Sequence[dict[str, Any]]) -> Row:
    return [
        feature["categories"][int(cell)] if "categories" in feature else cell
        for cell, feature in zip(row, features, strict=True)
    ]


def _with_codes(row: Sequence[float], features: Sequence[dict[str, Any]]) -> Row:
    return [
        int(cell) if "categories" in feature else cell
        for cell, feature in zip(row, features, strict=True)
    ]
