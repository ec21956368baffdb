"""What SAGEMAKER_INFERENCE_OUTPUT selects: its keys for every family of objectives, in every format."""

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

from tests.support.boosters import numbers, predictions, saved, train
from tests.support.protobuf import Record
from tests.support.responses import strict
from tests.support.server import refusal, running

ROWS = 200
RANDOM = np.random.default_rng(0)
FEATURES = numbers(ROWS, 3)
SOME = FEATURES[:20]
BODY = json.dumps([[None if np.isnan(value) else value for value in row] for row in SOME.tolist()])
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
ALL = ",".join(KEYS)
ACCEPTS = (
    "text/csv",
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "application/x-npy",
)
TWO, THREE = RANDOM.integers(0, 2, ROWS), RANDOM.integers(0, 3, ROWS)
SCORED: dict[str, tuple[Any, dict[str, Any]]] = {
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
SCORED["reg:logistic"] = (RANDOM.random(ROWS), {"objective": "reg:logistic"})
SCORED["rank:ndcg"] = (RANDOM.integers(0, 4, ROWS), {"objective": "rank:ndcg"})
SCORED["squaredlogerror"] = (RANDOM.random(ROWS) + 0.1, {"objective": "reg:squaredlogerror"})
SCORED["quantiles"] = (
    RANDOM.random(ROWS),
    {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]},
)
SCORED["targets"] = (RANDOM.random((ROWS, 2)), {})


def rows_of(response: requests.Response, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what JSON or JSON lines tell of each record, after checking the keys and their order."""
    if response.headers["Content-Type"] == "application/json":
        rows = strict(response.text)["predictions"]
    else:
        assert response.text.endswith("\n")
        rows = [strict(line) for line in response.text.splitlines()]
    assert all(tuple(row) == keys for row in rows)
    return list(rows)


def labels_of(body: bytes) -> list[dict[str, list[float]]]:
    """Return the labels of each record of a reply in recordio-protobuf."""
    found, place = [], 0
    while place < len(body):
        _, length = struct.unpack_from("<II", body, place)
        read = Record.FromString(body[place + 8 : place + 8 + length])
        found.append({key: list(value.float32_tensor.values) for key, value in read.label.items()})
        place += 8 + length + -length % 4
    return found


def nothing_but(**told: Any) -> dict[str, Any]:
    return dict.fromkeys(KEYS) | told


def float32(values: Any) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize("kind", SCORED)
def test_predicted_score_is_the_models_own_prediction(models: Path, kind: str) -> None:
    """8.4: regression, count, survival and ranking objectives have a predicted_score, several for several targets; else null."""
    target, parameters = SCORED[kind]
    booster = train(FEATURES, target, rounds=3, **parameters)
    with running(
        saved(booster, models / f"outputs-{kind}"), SAGEMAKER_INFERENCE_OUTPUT=ALL
    ) as server:
        rows = rows_of(server.post(BODY, "application/json"), KEYS)

    np.testing.assert_array_equal(
        float32([row["predicted_score"] for row in rows]), predictions(booster, SOME)
    )
    assert all(
        value is None for row in rows for key, value in row.items() if key != "predicted_score"
    )


def test_binary_logistic(models: Path) -> None:
    """8.4: the label from 0.5 on, the probability of class 1, and both probabilities."""
    booster = train(FEATURES, TWO, objective="binary:logistic")
    due = predictions(booster, SOME)
    with running(
        saved(booster, models / "outputs-logistic"), SAGEMAKER_INFERENCE_OUTPUT=ALL
    ) as server:
        response = server.post(BODY, "application/json")
    rows = rows_of(response, KEYS)

    assert {row["predicted_label"] for row in rows} == {0, 1}
    assert '"predicted_label": 1, "labels": [0, 1]' in response.text
    for row, p in zip(rows, due, strict=True):
        p1, p0 = float(str(p)), float(str(np.float32(1) - p))
        assert row == nothing_but(
            predicted_label=int(p > 0.5),
            labels=[0, 1],
            probability=p1,
            probabilities=[p0, p1],
            raw_score=p1,
            raw_scores=[p0, p1],
        )


@pytest.mark.parametrize("objective", ["binary:logitraw", "binary:hinge"])
def test_binary_scores(models: Path, objective: str) -> None:
    """8.4: logitraw has labels by the sign and hinge by itself; neither has probabilities."""
    booster = train(FEATURES, TWO, objective=objective)
    due = predictions(booster, SOME)
    with running(
        saved(booster, models / f"outputs-{objective[7:]}"), SAGEMAKER_INFERENCE_OUTPUT=ALL
    ) as server:
        rows = rows_of(server.post(BODY, "application/json"), KEYS)

    for row, raw in zip(rows, due, strict=True):
        label = int(raw > 0) if objective == "binary:logitraw" else float(raw)
        value, other = float(str(raw)), float(str(np.float32(1) - raw))
        assert row == nothing_but(
            predicted_label=label, labels=[0, 1], raw_score=value, raw_scores=[other, value]
        )


def test_classes(models: Path) -> None:
    """8.4: softprob has the likeliest class, its probability and all of them; softmax the class, and no made-up raw_scores."""
    probabilities = train(FEATURES, THREE, objective="multi:softprob", num_class=3)
    classes = train(FEATURES, THREE, objective="multi:softmax", num_class=3)
    with running(
        saved(probabilities, models / "outputs-softprob"), SAGEMAKER_INFERENCE_OUTPUT=ALL
    ) as server:
        of_probabilities = rows_of(server.post(BODY, "application/json"), KEYS)
    with running(
        saved(classes, models / "outputs-softmax"), SAGEMAKER_INFERENCE_OUTPUT=ALL
    ) as server:
        of_classes = rows_of(server.post(BODY, "application/json"), KEYS)

    for row, p in zip(of_probabilities, predictions(probabilities, SOME), strict=True):
        most, every = float(str(p.max())), [float(str(each)) for each in p]
        assert row == nothing_but(
            predicted_label=int(p.argmax()),
            labels=[0, 1, 2],
            probability=most,
            probabilities=every,
            raw_score=most,
            raw_scores=every,
        )
    for row, label in zip(of_classes, predictions(classes, SOME), strict=True):
        assert row == nothing_but(predicted_label=label, labels=[0, 1, 2], raw_score=label)


@pytest.mark.parametrize("accept", ACCEPTS)
def test_every_format(models: Path, accept: str) -> None:
    """8.4: the same values in every format, CSV in the order of the keys with lists in quotes, spaces and capitals disregarded."""
    booster = train(FEATURES, THREE, objective="multi:softprob", num_class=3)
    due = predictions(booster, SOME)
    keys = ("probabilities", "predicted_label", "foo")
    with running(
        saved(booster, models / "outputs-formats"),
        SAGEMAKER_INFERENCE_OUTPUT=" probabilities, Predicted_Label,foo,foo",
    ) as server:
        response = server.post(BODY, "application/json", Accept=accept)
        none = server.post(b"\n", Accept=accept)

    assert (response.status_code, none.status_code) == (200, 200)
    assert response.headers["Content-Type"] == accept
    match accept:
        case "text/csv":
            cells = list(csv.reader(io.StringIO(response.text)))
            assert response.text.startswith(
                f'"[{", ".join(map(str, due[0]))}]",{due[0].argmax()},nan\n'
            )
            np.testing.assert_array_equal(float32([json.loads(row[0]) for row in cells]), due)
            assert [row[1:] for row in cells] == [
                [str(label), "nan"] for label in due.argmax(axis=1)
            ]
        case "application/json" | "application/jsonlines":
            rows = rows_of(response, keys)
            np.testing.assert_array_equal(float32([row["probabilities"] for row in rows]), due)
            assert [row["predicted_label"] for row in rows] == due.argmax(axis=1).tolist()
            assert {row["foo"] for row in rows} == {None}
        case "application/x-recordio-protobuf":
            labels = labels_of(response.content)
            np.testing.assert_array_equal(float32([row["probabilities"] for row in labels]), due)
            np.testing.assert_array_equal(
                [row["predicted_label"] for row in labels], due.argmax(axis=1)[:, np.newaxis]
            )
            assert np.isnan([row["foo"] for row in labels]).all()
        case "application/x-npy":
            array = np.load(io.BytesIO(response.content), allow_pickle=False)
            assert array.dtype == np.float32
            expected = np.column_stack([due, due.argmax(axis=1), np.full(len(due), np.nan)])
            np.testing.assert_array_equal(array, expected.astype(np.float32))


def test_many_slices_keep_their_order(models: Path) -> None:
    """5.9: a payload of several slices has its columns in the order of its rows."""
    booster = train(FEATURES, TWO, objective="binary:logistic")
    many = np.tile(numbers(1000, 3, seed=5, missing=0), (60, 1))
    body = "\n".join(",".join(map(repr, row)) for row in many.tolist())
    with running(
        saved(booster, models / "outputs-many"), SAGEMAKER_INFERENCE_OUTPUT="probability"
    ) as server:
        response = server.post(body)

    np.testing.assert_array_equal(float32(response.text.split()), predictions(booster, many))


def test_keys_without_meaning_are_warned_of_once(models: Path) -> None:
    """8.4: one warning at the start names what is null in every record; what means something is in no warning."""
    booster = train(FEATURES, rounds=3)
    for keys, due in (
        ("predicted_score,foo,probability", ["foo", "probability"]),
        ("predicted_score", []),
    ):
        with running(
            saved(booster, models / "outputs-warned"), SAGEMAKER_INFERENCE_OUTPUT=keys
        ) as server:
            server.post(BODY, "application/json")
        warnings = [event for event in server.events() if event["level"] == "WARNING"]

        assert [warning["keys"] for warning in warnings] == [due] * bool(due)


def test_no_keys_stop_the_start(models: Path) -> None:
    """8.4: a list without a name is no list."""
    folder = saved(train(FEATURES, rounds=1), models / "outputs-none")

    assert "SAGEMAKER_INFERENCE_OUTPUT" in refusal(folder, SAGEMAKER_INFERENCE_OUTPUT=" , ")


def test_unacceptable_types_are_406(models: Path) -> None:
    """3.12: a type that no reply has is refused here as well."""
    folder = saved(train(FEATURES, rounds=1), models / "outputs-406")
    with running(folder, SAGEMAKER_INFERENCE_OUTPUT="predicted_score") as server:
        statuses = [
            server.post(BODY, "application/json", Accept=accept).status_code
            for accept in ("image/png", "text/libsvm")
        ]

    assert statuses == [406, 406]
