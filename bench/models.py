"""The models of the benchmark, the rows to send, and XGBoost's own predictions for them.

Models a, b, c and d differ in size: the cost of a request moves from HTTP to the trees.
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

from bench.paths import ROOT, WORK

SEED = 20261124
MAX_ROWS = 10_000
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
    # Larger than a processor's cache. It learns slowly, or most trees would be a single leaf.
    "d": {
        "features": 50,
        "rounds": 2000,
        "max_depth": 10,
        "objective": "reg:squarederror",
        "learning_rate": 0.01,
        "subsample": 0.5,
    },
}

Row = Sequence[float | str]
Feature = dict[str, Any]  # as in schema.json


@dataclass(frozen=True, slots=True)
class BenchModel:
    """A model's folder, rows as clients send them, and XGBoost's own predictions for them."""

    name: str
    folder: Path
    rows: Sequence[Row]
    expected: NDArray[np.float32]

    @property
    def file(self) -> Path:
        return self.folder / "model.ubj"


def load_model(name: str) -> BenchModel:
    """Return a model by name: a, b, c or d (trained if necessary), diamonds, or codes.

    "codes" is the sample model without its schema; its rows contain category codes.
    """
    if name in PARAMETERS:
        return _load_synthetic(name)
    return _load_diamonds(with_schema=name == "diamonds")


def random_matrix(features: int, rows: int, seed: int = SEED) -> NDArray[np.float64]:
    """Return random numbers with four decimals, of shape (rows, features)."""
    return np.random.default_rng(seed).standard_normal((rows, features)).round(4)


def _load_synthetic(name: str) -> BenchModel:
    parameters = dict(PARAMETERS[name])
    features, rounds = parameters.pop("features"), parameters.pop("rounds")
    folder = WORK / "models" / name
    if not (folder / "model.ubj").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _train(features, rounds, parameters).save_model(folder / "model.ubj")
    booster = xgboost.Booster(model_file=folder / "model.ubj")
    rows = random_matrix(features, MAX_ROWS)
    expected = booster.predict(xgboost.DMatrix(rows.astype(np.float32)))
    return BenchModel(name, folder, rows.tolist(), expected)


def _train(features: int, rounds: int, parameters: dict[str, Any]) -> xgboost.Booster:
    """Train on a noisy target that depends on every feature, so the trees grow to full depth."""
    matrix = random_matrix(features, TRAINING_ROWS, SEED + 1)
    random = np.random.default_rng(SEED + 2)
    signal = np.sin(2 * matrix) @ random.standard_normal(features)
    target: NDArray[Any] = signal + random.standard_normal(TRAINING_ROWS)
    default_classes = 2 if parameters["objective"] == "binary:logistic" else 0
    if classes := parameters.get("num_class", default_classes):
        target = np.digitize(target, np.quantile(target, np.arange(1, classes) / classes))
    # With several threads, floating-point sums would depend on timing.
    fixed = {"seed": SEED, "nthread": 1, "learning_rate": 0.1}
    return xgboost.train({**fixed, **parameters}, xgboost.DMatrix(matrix, target), rounds)


def _load_diamonds(*, with_schema: bool) -> BenchModel:
    """Return the sample model with random diamonds, with labels or with category codes."""
    schema = json.loads((DIAMONDS / "schema.json").read_text(encoding="utf-8"))
    features: list[Feature] = schema["features"]
    random = np.random.default_rng(SEED)
    codes = np.column_stack([_random_column(feature, random) for feature in features])
    booster = xgboost.Booster(model_file=DIAMONDS / "model.ubj")
    matrix = xgboost.DMatrix(
        codes.astype(np.float32),
        feature_names=booster.feature_names,
        feature_types=booster.feature_types,
    )
    expected = booster.predict(matrix)
    if with_schema:
        labeled_rows = [_row_with_labels(row, features) for row in codes.tolist()]
        return BenchModel("diamonds", DIAMONDS, labeled_rows, expected)
    folder = WORK / "models" / "codes"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(DIAMONDS / "model.ubj", folder)
    coded_rows = [_row_with_codes(row, features) for row in codes.tolist()]
    return BenchModel("codes", folder, coded_rows, expected)


def _random_column(feature: Feature, random: np.random.Generator) -> NDArray[np.float64]:
    if labels := feature.get("categories"):
        return random.integers(len(labels), size=MAX_ROWS).astype(float)
    low, high = feature["range"]
    return random.uniform(low, high, size=MAX_ROWS).round(2)


def _row_with_labels(row: Sequence[float], features: Sequence[Feature]) -> Row:
    cells: list[float | str] = list(row)
    for index, feature in enumerate(features):
        if "categories" in feature:
            cells[index] = feature["categories"][int(row[index])]
    return cells


def _row_with_codes(row: Sequence[float], features: Sequence[Feature]) -> Row:
    cells = list(row)
    for index, feature in enumerate(features):
        if "categories" in feature:
            cells[index] = int(row[index])
    return cells
