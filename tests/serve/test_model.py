"""Predictions of all types of models equal those of XGBoost."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.responses import scores, strict
from tests.support.server import running

RANDOM = np.random.default_rng(0)
ROWS = 300
MODEL_TYPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "regression": (RANDOM.random(ROWS), {"objective": "reg:squarederror"}),
    "binary": (RANDOM.integers(0, 2, ROWS), {"objective": "binary:logistic"}),
    "binary-raw": (RANDOM.integers(0, 2, ROWS), {"objective": "binary:logitraw"}),
    "softprob": (RANDOM.integers(0, 3, ROWS), {"objective": "multi:softprob", "num_class": 3}),
    "softmax": (RANDOM.integers(0, 3, ROWS), {"objective": "multi:softmax", "num_class": 3}),
    "ranking": (RANDOM.integers(0, 4, ROWS), {"objective": "rank:ndcg"}),
    "count": (RANDOM.integers(0, 9, ROWS), {"objective": "count:poisson"}),
    "survival": (RANDOM.random(ROWS) + 0.1, {"objective": "survival:cox"}),
    "quantile": (
        RANDOM.random(ROWS),
        {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]},
    ),
    "multi-target": (RANDOM.random((ROWS, 2)), {"objective": "reg:squarederror"}),
    "multi-output-tree": (RANDOM.random((ROWS, 2)), {"multi_strategy": "multi_output_tree"}),
    "forest": (RANDOM.random(ROWS), {"num_parallel_tree": 4, "subsample": 0.5}),
    "dart": (RANDOM.random(ROWS), {"booster": "dart", "rate_drop": 0.5, "one_drop": 1}),
    "gblinear": (RANDOM.random(ROWS), {"booster": "gblinear"}),
}


@pytest.mark.parametrize("kernel", ["auto", "off"])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_predictions_equal_xgboost(models: Path, model_type: str, kernel: str) -> None:
    """Predictions equal Booster.predict bit for bit, with and without the kernel."""
    target, parameters = MODEL_TYPES[model_type]
    features = random_features(ROWS, 4, missing=0 if model_type == "gblinear" else 0.1)
    if model_type == "gblinear":
        features = np.sign(features)
    booster = train(features, target, **parameters)
    expected = predict_with_xgboost(booster, features[:50])
    rows = [[None if np.isnan(value) else value for value in row] for row in features[:50].tolist()]
    folder = save_artifact(booster, models / f"{model_type}-{kernel}")
    with running(folder, SERVE_KERNEL=kernel) as server:
        for accept in ("text/csv", "application/json", "application/jsonlines"):
            for body, wanted in ((rows, expected), (rows[:1], expected[:1])):
                got = scores(server.post(json.dumps(body), "application/json", Accept=accept))
                np.testing.assert_array_equal(got.reshape(wanted.shape), wanted)


def test_ten_thousand_features(models: Path) -> None:
    """A model with 10,000 features accepts rows of that width; its error messages stay short."""
    features = random_features(60, 10_000, missing=0)
    names = [f"feature {number}" for number in range(10_000)]
    booster = train(features, rounds=3, names=names)
    body = "\n".join(",".join(map(repr, row)) for row in features.tolist())
    with running(save_artifact(booster, models / "wide")) as server:
        with_header = server.post(
            ",".join(reversed(names))
            + "\n"
            + "\n".join(",".join(map(repr, row[::-1])) for row in features.tolist())
        )
        np.testing.assert_array_equal(
            scores(server.post(body)), predict_with_xgboost(booster, features)
        )
        np.testing.assert_array_equal(scores(with_header), predict_with_xgboost(booster, features))
        assert len(server.post("1,2").content) < 2048
        assert len(server.post("x,y\n1,2", "text/csv; header=present").content) < 2048


def test_infinite_predictions_are_null_in_json(tmp_path: Path) -> None:
    """3.17: An infinite prediction is null in JSON, which stays valid, and inf in CSV."""
    booster = json.loads(
        bytes(train(random_features(100, 2, missing=0), rounds=2).save_raw("json"))
    )
    for tree in booster["learner"]["gradient_booster"]["model"]["trees"]:
        tree["split_conditions"] = [
            3e38 if child == -1 else condition
            for child, condition in zip(
                tree["left_children"], tree["split_conditions"], strict=True
            )
        ]
    (tmp_path / "model.json").write_text(json.dumps(booster))
    with running(tmp_path) as server:
        assert server.post("1,2").text == "inf\n"
        assert strict(server.post("1,2", Accept="application/json").text) == {
            "predictions": [{"score": None}]
        }
        assert strict(server.post("1,2", Accept="application/jsonlines").text) == {"score": None}
