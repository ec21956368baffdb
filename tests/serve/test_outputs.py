"""SAGEMAKER_INFERENCE_OUTPUT selects outputs: its keys by objective, in every media type."""

import csv
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.protobuf import Record
from tests.support.responses import strict
from tests.support.server import running, startup_error

ROWS = 200
RANDOM = np.random.default_rng(0)
FEATURES = random_features(ROWS, 3)
SAMPLE = FEATURES[:20]
BODY = json.dumps(
    [[None if np.isnan(value) else value for value in row] for row in SAMPLE.tolist()]
)
KEYS = (
    "predicted_label",
    "labels",
    "probability",
    "probabilities",
    "raw_score",
    "raw_scores",
    "predicted_score",
    "spread",
)
ALL_KEYS = ",".join(KEYS)
ACCEPTS = (
    "text/csv",
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "application/x-npy",
)
TWO_CLASSES, THREE_CLASSES = RANDOM.integers(0, 2, ROWS), RANDOM.integers(0, 3, ROWS)
SCORE_MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    objective: (RANDOM.random(ROWS) + 0.1, {"objective": objective})
    for objective in (
        "reg:squarederror",
        "reg:logistic",
        "reg:gamma",
        "reg:absoluteerror",
        "reg:tweedie",
        "reg:pseudohubererror",
        "count:poisson",
        "survival:cox",
    )
}
SCORE_MODELS["reg:logistic"] = (RANDOM.random(ROWS), {"objective": "reg:logistic"})
SCORE_MODELS["rank:ndcg"] = (RANDOM.integers(0, 4, ROWS), {"objective": "rank:ndcg"})
SCORE_MODELS["squaredlogerror"] = (RANDOM.random(ROWS) + 0.1, {"objective": "reg:squaredlogerror"})
SCORE_MODELS["quantiles"] = (
    RANDOM.random(ROWS),
    {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]},
)
SCORE_MODELS["targets"] = (RANDOM.random((ROWS, 2)), {})


def parse_rows(response: requests.Response, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the records of a JSON or JSON Lines response, after checking their keys."""
    if response.headers["Content-Type"] == "application/json":
        rows = strict(response.text)["predictions"]
    else:
        assert response.text.endswith("\n")
        rows = [strict(line) for line in response.text.splitlines()]
    assert all(tuple(row) == keys for row in rows)
    return list(rows)


def parse_labels(body: bytes) -> list[dict[str, list[float]]]:
    """Return the labels of each record in a recordio-protobuf response."""
    labels, position = [], 0
    while position < len(body):
        _, length = struct.unpack_from("<II", body, position)
        record = Record.FromString(body[position + 8 : position + 8 + length])
        labels.append(
            {key: list(value.float32_tensor.values) for key, value in record.label.items()}
        )
        position += 8 + length + -length % 4
    return labels


def only(**outputs: Any) -> dict[str, Any]:
    """Return a record with these outputs, and null for every other key."""
    return dict.fromkeys(KEYS) | outputs


def float32(values: Any) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize("model_type", SCORE_MODELS)
def test_predicted_score_is_the_prediction(models: Path, model_type: str) -> None:
    """8.4: Regression, count, survival and ranking models have only predicted_score, per target."""
    target, parameters = SCORE_MODELS[model_type]
    booster = train(FEATURES, target, rounds=3, **parameters)
    with running(
        save_artifact(booster, models / f"outputs-{model_type}"),
        SAGEMAKER_INFERENCE_OUTPUT=ALL_KEYS,
    ) as server:
        rows = parse_rows(server.post(BODY, "application/json"), KEYS)

    np.testing.assert_array_equal(
        float32([row["predicted_score"] for row in rows]), predict_with_xgboost(booster, SAMPLE)
    )
    assert all(
        value is None for row in rows for key, value in row.items() if key != "predicted_score"
    )


def test_binary_logistic(models: Path) -> None:
    """8.4: The label is 1 above 0.5; probability is that of class 1; probabilities lists both."""
    booster = train(FEATURES, TWO_CLASSES, objective="binary:logistic")
    expected = predict_with_xgboost(booster, SAMPLE)
    with running(
        save_artifact(booster, models / "outputs-logistic"), SAGEMAKER_INFERENCE_OUTPUT=ALL_KEYS
    ) as server:
        response = server.post(BODY, "application/json")
    rows = parse_rows(response, KEYS)

    assert {row["predicted_label"] for row in rows} == {0, 1}
    assert '"predicted_label": 1, "labels": [0, 1]' in response.text
    for row, p in zip(rows, expected, strict=True):
        p1, p0 = float(str(p)), float(str(np.float32(1) - p))
        assert row == only(
            predicted_label=int(p > 0.5),
            labels=[0, 1],
            probability=p1,
            probabilities=[p0, p1],
            raw_score=p1,
            raw_scores=[p0, p1],
        )


@pytest.mark.parametrize("objective", ["binary:logitraw", "binary:hinge"])
def test_binary_scores(models: Path, objective: str) -> None:
    """8.4: logitraw labels follow the sign, hinge predicts labels; neither has probabilities."""
    booster = train(FEATURES, TWO_CLASSES, objective=objective)
    expected = predict_with_xgboost(booster, SAMPLE)
    with running(
        save_artifact(booster, models / f"outputs-{objective[7:]}"),
        SAGEMAKER_INFERENCE_OUTPUT=ALL_KEYS,
    ) as server:
        rows = parse_rows(server.post(BODY, "application/json"), KEYS)

    for row, raw in zip(rows, expected, strict=True):
        label = int(raw > 0) if objective == "binary:logitraw" else float(raw)
        value, other = float(str(raw)), float(str(np.float32(1) - raw))
        assert row == only(
            predicted_label=label, labels=[0, 1], raw_score=value, raw_scores=[other, value]
        )


def test_classes(models: Path) -> None:
    """8.4: softprob has a label and all probabilities; softmax has a label but no raw_scores."""
    softprob = train(FEATURES, THREE_CLASSES, objective="multi:softprob", num_class=3)
    softmax = train(FEATURES, THREE_CLASSES, objective="multi:softmax", num_class=3)
    with running(
        save_artifact(softprob, models / "outputs-softprob"), SAGEMAKER_INFERENCE_OUTPUT=ALL_KEYS
    ) as server:
        softprob_rows = parse_rows(server.post(BODY, "application/json"), KEYS)
    with running(
        save_artifact(softmax, models / "outputs-softmax"), SAGEMAKER_INFERENCE_OUTPUT=ALL_KEYS
    ) as server:
        softmax_rows = parse_rows(server.post(BODY, "application/json"), KEYS)

    for row, p in zip(softprob_rows, predict_with_xgboost(softprob, SAMPLE), strict=True):
        probabilities = [float(str(probability)) for probability in p]
        highest = max(probabilities)
        assert row == only(
            predicted_label=int(p.argmax()),
            labels=[0, 1, 2],
            probability=highest,
            probabilities=probabilities,
            raw_score=highest,
            raw_scores=probabilities,
        )
    for row, label in zip(softmax_rows, predict_with_xgboost(softmax, SAMPLE), strict=True):
        assert row == only(predicted_label=label, labels=[0, 1, 2], raw_score=label)


@pytest.mark.parametrize("accept", ACCEPTS)
def test_every_media_type(models: Path, accept: str) -> None:
    """8.4: All media types have the same values; keys may differ in case and have spaces."""
    booster = train(FEATURES, THREE_CLASSES, objective="multi:softprob", num_class=3)
    expected = predict_with_xgboost(booster, SAMPLE)
    labels = expected.argmax(axis=1)
    keys = ("probabilities", "predicted_label", "spread")
    with running(
        save_artifact(booster, models / "outputs-formats"),
        SAGEMAKER_INFERENCE_OUTPUT=" probabilities, Predicted_Label,spread,spread",
    ) as server:
        response = server.post(BODY, "application/json", Accept=accept)
        empty = server.post(b"[]", "application/json", Accept=accept)

    assert (response.status_code, empty.status_code) == (200, 200)
    assert response.headers["Content-Type"] == accept
    match accept:
        case "text/csv":
            cells = list(csv.reader(io.StringIO(response.text)))
            assert response.text.startswith(
                f'"[{", ".join(map(str, expected[0]))}]",{labels[0]},nan\n'
            )
            np.testing.assert_array_equal(float32([json.loads(row[0]) for row in cells]), expected)
            assert [row[1:] for row in cells] == [[str(label), "nan"] for label in labels]
        case "application/json" | "application/jsonlines":
            rows = parse_rows(response, keys)
            np.testing.assert_array_equal(float32([row["probabilities"] for row in rows]), expected)
            assert [row["predicted_label"] for row in rows] == labels.tolist()
            assert {row["spread"] for row in rows} == {None}
        case "application/x-recordio-protobuf":
            records = parse_labels(response.content)
            np.testing.assert_array_equal(
                float32([row["probabilities"] for row in records]), expected
            )
            np.testing.assert_array_equal(
                [row["predicted_label"] for row in records], labels[:, np.newaxis]
            )
            assert np.isnan([row["spread"] for row in records]).all()
        case "application/x-npy":
            array = np.load(io.BytesIO(response.content), allow_pickle=False)
            assert array.dtype == np.float32
            columns = np.column_stack([expected, labels, np.full(len(expected), np.nan)])
            np.testing.assert_array_equal(array, columns.astype(np.float32))


def test_slices_are_returned_in_order(models: Path) -> None:
    """5.9: The outputs of a payload of several slices are in the order of its records."""
    booster = train(FEATURES, TWO_CLASSES, objective="binary:logistic")
    features = np.tile(random_features(1000, 3, seed=5, missing=0), (60, 1))
    body = "\n".join(",".join(map(repr, row)) for row in features.tolist())
    with running(
        save_artifact(booster, models / "outputs-many"), SAGEMAKER_INFERENCE_OUTPUT="probability"
    ) as server:
        response = server.post(body)

    np.testing.assert_array_equal(
        float32(response.text.split()), predict_with_xgboost(booster, features)
    )


def test_null_outputs_are_logged_at_startup(models: Path) -> None:
    """8.4: One startup warning lists the keys that are null for every record, and no others."""
    booster = train(FEATURES, rounds=3)
    for keys, null_keys in (
        ("predicted_score,labels,probability", ["labels", "probability"]),
        ("predicted_score", []),
    ):
        with running(
            save_artifact(booster, models / "outputs-warned"), SAGEMAKER_INFERENCE_OUTPUT=keys
        ) as server:
            server.post(BODY, "application/json")
        event_name = "inference output always null"
        warnings = [event for event in server.events() if event["event"] == event_name]

        assert [warning["keys"] for warning in warnings] == [null_keys] * bool(null_keys)


def test_an_empty_list_of_keys_prevents_startup(models: Path) -> None:
    """8.4: A list without a key is rejected at startup."""
    folder = save_artifact(train(FEATURES, rounds=1), models / "outputs-none")

    assert "SAGEMAKER_INFERENCE_OUTPUT" in startup_error(folder, SAGEMAKER_INFERENCE_OUTPUT=" , ")


def test_unsupported_accept_types_are_406(models: Path) -> None:
    """3.14: Selected outputs do not change which media types are accepted."""
    folder = save_artifact(train(FEATURES, rounds=1), models / "outputs-406")
    with running(folder, SAGEMAKER_INFERENCE_OUTPUT="predicted_score") as server:
        statuses = [
            server.post(BODY, "application/json", Accept=accept).status_code
            for accept in ("image/png", "text/libsvm")
        ]

    assert statuses == [406, 406]
