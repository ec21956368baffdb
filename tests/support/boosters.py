"""Train small boosters on random features, save them, and predict with XGBoost itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray

ROWS = 300


def random_features(
    rows: int, width: int, seed: int = 0, missing: float = 0.1
) -> NDArray[np.float32]:
    """Return random features, float32 (rows, width), of many magnitudes, some of them missing."""
    random = np.random.default_rng(seed)
    matrix = (
        random.standard_normal((rows, width)) * 10.0 ** random.integers(-8, 8, (rows, width))
    ).astype(np.float32)
    matrix[random.random(matrix.shape) < missing] = np.nan
    return matrix


def train(
    features: Any,
    target: Any = None,
    rounds: int = 10,
    *,
    names: Any = None,
    types: Any = None,
    **parameters: Any,
) -> xgboost.Booster:
    """Return a booster trained on a matrix or DataFrame, by default for a random target."""
    random = np.random.default_rng(1)
    target = random.random(len(features)) if target is None else target
    matrix = xgboost.DMatrix(
        features, target, feature_names=names, feature_types=types, enable_categorical=True
    )
    with xgboost.config_context(verbosity=0):  # gblinear and dart log a deprecation warning
        return xgboost.train(
            {"max_depth": 4, "seed": 0, "nthread": 1, **parameters}, matrix, rounds
        )


def save_artifact(booster: xgboost.Booster, folder: Path) -> Path:
    """Save a booster as model.ubj in a directory; return the directory."""
    folder.mkdir(parents=True, exist_ok=True)
    with xgboost.config_context(verbosity=0):
        booster.save_model(folder / "model.ubj")
    return folder


def predict_with_xgboost(booster: xgboost.Booster, features: Any) -> NDArray[np.float32]:
    """Return the predictions of Booster.predict itself, float32 (n,) or (n, k)."""
    if isinstance(features, pd.DataFrame):
        matrix = xgboost.DMatrix(features, enable_categorical=True)
    else:
        matrix = xgboost.DMatrix(
            features, feature_names=booster.feature_names, feature_types=booster.feature_types
        )
    with xgboost.config_context(verbosity=0):
        predicted: NDArray[np.float32] = booster.predict(matrix)
    return predicted
