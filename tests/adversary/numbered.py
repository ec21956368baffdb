"""A model whose prediction identifies the row: each whole number up to COUNT has another."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, save_artifact

COUNT = 2000


@dataclass(frozen=True, slots=True)
class Numbered:
    """The directory of the artifact, and the prediction of each number, float32 (COUNT,)."""

    folder: Path
    predictions: NDArray[np.float32]


@contextmanager
def numbered_artifact() -> Iterator[Numbered]:
    """Yield the artifact until the block ends."""
    numbers = np.arange(COUNT, dtype=np.float32)[:, np.newaxis]
    parameters = {
        "max_depth": 14,
        "max_bin": COUNT,
        "eta": 1,
        "lambda": 0,
        "min_child_weight": 0,
        "base_score": 0,
        "nthread": 1,
    }
    booster = xgboost.train(parameters, xgboost.DMatrix(numbers, numbers), 1)
    predictions = predict_with_xgboost(booster, numbers)
    assert len(np.unique(predictions)) == COUNT
    with TemporaryDirectory() as folder:
        yield Numbered(save_artifact(booster, Path(folder)), predictions)
