"""Warm a model up, and measure how fast it predicts."""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from serve.model.native_predict import Predictor

# Enough calls that one runs undisturbed, and enough rows to fill a block of rows in XGBoost.
CALLS = 5
MANY_ROWS = 64


def measure_speed(predictor: Predictor, feature_count: int) -> tuple[int, float]:
    """Return ``max_rows_one_by_one`` and ``seconds_per_row`` of Model.

    In each call, XGBoost 3.1 and later visit every node of every tree. XGBoost 3.4 and later do not
    do so for a single row (dmlc/xgboost#12307), so a few calls of one row each may be faster.
    """
    one_row, two_rows, many_rows = (
        _min_seconds(predictor, np.zeros((rows, feature_count), dtype=np.float32))
        for rows in (1, 2, MANY_ROWS)
    )
    return int(two_rows / one_row), many_rows / MANY_ROWS


def _min_seconds(predictor: Predictor, features: NDArray[np.float32]) -> float:
    """Return the duration of the fastest of several predictions."""
    seconds = []
    for _ in range(CALLS):
        started = perf_counter()
        predictor(features)
        seconds.append(perf_counter() - started)
    return min(seconds)
