"""XGBoost's C call, which serve.model.native_predict uses, against XGBoost's own methods."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from serve.model.native_predict import Predict, direct_predictor, native_predictor
from tests.support.boosters import numbers, train

WIDTH = 6
ROUNDS = 7
KINDS: dict[str, dict[str, Any]] = {
    "regression": {},
    "classes": {"objective": "multi:softprob", "num_class": 3},
    "class": {"objective": "multi:softmax", "num_class": 3},
    "targets": {"multi_strategy": "multi_output_tree"},
    "dart": {"booster": "dart", "rate_drop": 0.5},
    "forest": {"num_parallel_tree": 3, "subsample": 0.5},
}


def booster_of(kind: str) -> xgboost.Booster:
    features = numbers(200, WIDTH)
    random = np.random.default_rng(5)
    shape = (200, 2) if kind == "targets" else (200,)
    target = random.integers(0, 3, shape) if kind.startswith("class") else random.random(shape)
    return train(features, target, **KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_the_c_call_agrees(kind: str) -> None:
    """Whatever the model, the number of rows and their layout: the bits of Booster.inplace_predict, over the same rounds."""
    booster = booster_of(kind)
    direct = direct_predictor(booster, ROUNDS)

    for rows in (1, 2, 63, 64, 65, 500):
        features = numbers(rows, WIDTH, seed=rows)
        due = booster.inplace_predict(features, iteration_range=(0, ROUNDS))
        for layout in (
            features,
            np.asfortranarray(features),
            np.repeat(features, 2, axis=1)[:, ::2],
        ):
            np.testing.assert_array_equal(direct(layout), due)


def test_the_c_call_in_many_threads() -> None:
    """Eight threads with matrices of different sizes do not see each other's."""
    booster = booster_of("classes")
    direct = direct_predictor(booster, ROUNDS)
    matrices = [numbers(rows, WIDTH, seed=rows) for rows in range(1, 60)]
    due = [booster.inplace_predict(matrix, iteration_range=(0, ROUNDS)) for matrix in matrices]
    differing: list[NDArray[np.float32]] = []

    def call() -> None:
        for _ in range(20):
            pairs = zip(matrices, due, strict=True)
            differing.extend(
                matrix for matrix, right in pairs if not np.array_equal(direct(matrix), right)
            )

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert differing == []


def raising(_booster: xgboost.Booster, _rounds: int) -> Predict:
    raise AttributeError("XGProxyDMatrixCreate")


def wrong(_booster: xgboost.Booster, _rounds: int) -> Predict:
    return lambda features: np.zeros(len(features), dtype=np.float32)


@pytest.mark.parametrize("direct", [raising, wrong])
def test_a_library_that_is_not_as_it_is_known(
    direct: Callable[[xgboost.Booster, int], Predict],
) -> None:
    """Where the C call is not there, or gives other numbers, Booster.inplace_predict is taken."""
    booster = booster_of("regression")
    features = numbers(10, WIDTH)
    due = booster.inplace_predict(features, iteration_range=(0, ROUNDS))

    np.testing.assert_array_equal(native_predictor(booster, ROUNDS, direct)(features), due)
