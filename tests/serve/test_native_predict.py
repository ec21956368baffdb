"""Predictions through XGBoost's C API equal those of its Python package."""

import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from serve.model.native_predict import Predictor, build_direct_predictor, build_predictor
from tests.support.boosters import predict_with_xgboost, random_features, train

WIDTH = 6
ROUNDS = 7
MODEL_TYPES: dict[str, dict[str, Any]] = {
    "regression": {},
    "classes": {"objective": "multi:softprob", "num_class": 3},
    "class": {"objective": "multi:softmax", "num_class": 3},
    "targets": {"multi_strategy": "multi_output_tree"},
    "dart": {"booster": "dart", "rate_drop": 0.5},
    "forest": {"num_parallel_tree": 3, "subsample": 0.5},
}


def train_model(model_type: str) -> xgboost.Booster:
    features = random_features(200, WIDTH)
    random = np.random.default_rng(5)
    shape = (200, 2) if model_type == "targets" else (200,)
    target = (
        random.integers(0, 3, shape) if model_type.startswith("class") else random.random(shape)
    )
    return train(features, target, **MODEL_TYPES[model_type])


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_direct_predictions_equal_inplace_predictions(model_type: str) -> None:
    """Predictions equal Booster.inplace_predict, bit for bit, for any row count and layout."""
    booster = train_model(model_type)
    predict = build_direct_predictor(booster, ROUNDS)

    for rows in (1, 2, 63, 64, 65, 500):
        features = random_features(rows, WIDTH, seed=rows)
        expected = booster.inplace_predict(features, iteration_range=(0, ROUNDS))
        for layout in (
            features,
            np.asfortranarray(features),
            np.repeat(features, 2, axis=1)[:, ::2],
        ):
            np.testing.assert_array_equal(predict(layout), expected)


def test_threads_do_not_share_buffers() -> None:
    """Eight threads that predict matrices of different sizes get their own predictions."""
    booster = train_model("classes")
    predict = build_direct_predictor(booster, ROUNDS)
    matrices = [random_features(rows, WIDTH, seed=rows) for rows in range(1, 60)]
    expected = [booster.inplace_predict(matrix, iteration_range=(0, ROUNDS)) for matrix in matrices]
    differing: list[NDArray[np.float32]] = []

    def predict_repeatedly() -> None:
        for _ in range(20):
            pairs = zip(matrices, expected, strict=True)
            differing.extend(
                matrix for matrix, scores in pairs if not np.array_equal(predict(matrix), scores)
            )

    threads = [threading.Thread(target=predict_repeatedly) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert differing == []


def fail_to_build(_booster: xgboost.Booster, _rounds: int) -> Predictor:
    raise AttributeError("XGProxyDMatrixCreate")


def build_wrong_predictor(_booster: xgboost.Booster, _rounds: int) -> Predictor:
    return lambda features: np.zeros(len(features), dtype=np.float32)


@pytest.mark.parametrize("build_direct", [fail_to_build, build_wrong_predictor])
def test_an_unsupported_library_falls_back_to_inplace_predict(
    build_direct: Callable[[xgboost.Booster, int], Predictor],
) -> None:
    """If the C call is missing or returns other numbers, Booster.inplace_predict is used."""
    booster = train_model("regression")
    features = random_features(10, WIDTH)
    expected = booster.inplace_predict(features, iteration_range=(0, ROUNDS))

    np.testing.assert_array_equal(
        build_predictor(booster, ROUNDS, build_direct)(features), expected
    )


def test_a_predictor_keeps_its_booster() -> None:
    """A predictor predicts the same after the booster's last other reference is gone."""
    features = random_features(50, 3)
    booster = train(features)
    expected = predict_with_xgboost(booster, features)
    predict = build_direct_predictor(booster, booster.num_boosted_rounds())
    del booster
    gc.collect()
    for seed in range(20):  # reuses the memory of a booster that was freed
        train(random_features(50, 3, seed))

    np.testing.assert_array_equal(predict(features), expected)
