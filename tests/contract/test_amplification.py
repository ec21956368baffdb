"""Limits on what a small payload may cost: records, the size of the response, the gzip ratio."""

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.payloads import npy
from tests.support.protobuf import sparse
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

WIDTH = 3
BOOSTER = train(random_features(300, WIDTH, seed=1), names=["a", "b", "c"])
MAX_RECORDS = 400_000
MAX_EMPTY_RECORDS = MAX_RECORDS // 50
NUMBERS = np.random.default_rng(2).integers(0, 9, (300_000, WIDTH)).astype(np.uint8)
WIDE_NAMES = [f"name {index}" for index in range(5_000)]
WIDE_BOOSTER = train(random_features(50, len(WIDE_NAMES), seed=5), rounds=1, names=WIDE_NAMES)
EMPTY_RECORD = sparse(np.full((1, WIDTH), np.nan))


@pytest.fixture(scope="module")
def server(front_end: str, models: Path) -> Iterator[Server]:
    folder = save_artifact(BOOSTER, models / f"amplification-{front_end}")
    variables = {"SERVE_MAX_RECORDS": str(MAX_RECORDS), "SERVE_MAX_RESPONSE_IN_MB": "6"}
    with running(folder, **variables) as running_server:
        yield running_server
        assert requests.get(f"{running_server.url}/ping", timeout=10).status_code == 200


@pytest.mark.parametrize("size", [9 << 20, 300 << 20])
@pytest.mark.parametrize("content_type", ["text/libsvm", "text/csv"])
def test_gzip_ratio(server: Server, size: int, content_type: str) -> None:
    """A few KB of gzip that would become a thousand times as large are rejected at once."""
    member = gzip.compress(bytes(1 << 20).replace(b"\0", b"\n"))
    response = server.post(member * (size >> 20), content_type, Content_Encoding="gzip")

    assert response.status_code == 413
    assert error_of(response) == (
        "payload too large: expected at most 200 bytes for each byte of gzip, "
        f"got more after decompressing {len(member) * (size >> 20):,} bytes; "
        "SERVE_MAX_GZIP_RATIO sets the limit"
    )


def test_small_payload_may_have_any_gzip_ratio(server: Server) -> None:
    """Below 8 MiB, a payload of equal rows is accepted, however well it is compressed."""
    row = ",".join(f"{number:.14f}" for number in (1, 2, 3))
    response = server.post(gzip.compress(f"{row}\n".encode() * 160_000), Content_Encoding="gzip")

    expected = predict_with_xgboost(BOOSTER, np.array([[1, 2, 3]]))
    np.testing.assert_array_equal(scores(response), np.repeat(expected, 160_000))


def test_header_of_a_response_counts_once(server: Server) -> None:
    """The forecast of a large response counts the one header of an npy array once."""
    response = server.post(b"1,2,3\n" * 300_000, Accept="application/x-npy")

    assert response.status_code == 200
    expected = predict_with_xgboost(BOOSTER, np.array([[1, 2, 3]]))
    np.testing.assert_array_equal(
        np.load(io.BytesIO(response.content)), np.repeat(expected, 300_000)
    )


@pytest.mark.parametrize("accept", ["text/csv", "text/csv; stream=true"])
@pytest.mark.parametrize(
    ("content_type", "payload"),
    [
        ("text/csv", b"1,2,3\n" * (MAX_RECORDS + 1)),
        ("text/csv", b'1,2,"3"\n' * (MAX_RECORDS + 1)),
        ("text/libsvm", b"0 1:3\n" * (MAX_RECORDS + 1)),
        ("text/libsvm", b"\n" * (MAX_RECORDS + 1)),
        ("application/jsonlines", b"[1,2,3]\n" * (MAX_RECORDS + 1)),
        ("application/json", b"[" + b",".join([b"[1,2,3]"] * (MAX_RECORDS + 1)) + b"]"),
        ("application/x-npy", npy(np.zeros((MAX_RECORDS + 1, WIDTH), np.uint8))),
    ],
    ids=["csv", "quoted", "libsvm", "blank", "jsonlines", "json", "npy"],
)
def test_too_many_records(server: Server, content_type: str, payload: bytes, accept: str) -> None:
    """A payload with too many records is a 413 that names the setting, or an aborted stream."""
    try:
        response = server.post(payload, content_type, Accept=accept)
    except requests.exceptions.ChunkedEncodingError:
        assert "stream" in accept
        assert '"' in payload.decode("latin-1") or content_type not in ("text/csv", "text/libsvm")
        return

    assert response.status_code == 413
    assert "SERVE_MAX_RECORDS" in error_of(response)


@pytest.mark.parametrize(
    ("content_type", "record"),
    [
        ("text/libsvm", b"\n"),
        ("text/libsvm", b"0\n"),
        ("text/libsvm; label=absent", b"\n"),
        ("text/csv", b",,\n"),
        ("application/x-recordio-protobuf", EMPTY_RECORD),
    ],
    ids=["blank", "label", "unlabeled", "csv", "recordio"],
)
def test_records_without_any_value(server: Server, content_type: str, record: bytes) -> None:
    """A fiftieth of the records may be without any value; each of them gets its prediction."""
    accepted = server.post(record * MAX_EMPTY_RECORDS, content_type)
    rejected = server.post(record * (MAX_EMPTY_RECORDS + 1), content_type)

    expected = predict_with_xgboost(BOOSTER, np.full((1, WIDTH), np.nan))
    np.testing.assert_array_equal(scores(accepted), np.repeat(expected, MAX_EMPTY_RECORDS))
    assert rejected.status_code == 413
    assert error_of(rejected) == (
        "payload too large: expected at most 8,000 records without any value, got more; "
        "the limit is a fiftieth of SERVE_MAX_RECORDS"
    )


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv",
        "application/json",
        "application/jsonlines",
        "application/x-npy",
        "application/x-recordio-protobuf",
    ],
)
def test_large_response_is_sent_in_pieces(server: Server, accept: str) -> None:
    """A response of several pieces has the prediction of every record, in order."""
    numbers = NUMBERS[:100_000]
    response = server.post(npy(numbers), "application/x-npy", Accept=accept)

    assert int(response.headers["Content-Length"]) == len(response.content)
    np.testing.assert_array_equal(scores(response), predict_with_xgboost(BOOSTER, numbers))


@pytest.mark.parametrize("accept", ["application/json", "application/x-npy"])
def test_large_explanation_is_sent_in_pieces(server: Server, accept: str) -> None:
    """The pieces of an explanation are one document, in the order of the records."""
    numbers = NUMBERS[:30_000]
    response = server.post(npy(numbers), "application/x-npy", Accept=f"{accept}; explain=margin")

    expected = predict_with_xgboost(BOOSTER, numbers)
    if accept == "application/json":
        rows = [[row["score"], row["margin"]] for row in response.json()["predictions"]]
    else:
        rows = scores(response).tolist()
    np.testing.assert_array_equal(
        np.array(rows, np.float32), np.stack([expected, expected], axis=1)
    )


def test_selected_outputs_are_sent_in_pieces(front_end: str, models: Path) -> None:
    """The pieces of an array with several columns are joined row by row."""
    classes = np.arange(300) % 3
    booster = train(
        random_features(300, WIDTH, seed=3), classes, objective="multi:softprob", num_class=3
    )
    folder = save_artifact(booster, models / f"pieces-{front_end}")
    numbers = NUMBERS[:25_000]
    keys = "predicted_label,labels,probability"
    with running(folder, SAGEMAKER_INFERENCE_OUTPUT=keys) as server:
        response = server.post(npy(numbers), "application/x-npy", Accept="application/x-npy")

    probabilities = predict_with_xgboost(booster, numbers)
    labels = np.tile(np.arange(3), (len(numbers), 1))
    predicted = probabilities.argmax(axis=1)[:, np.newaxis]
    highest = probabilities.max(axis=1)[:, np.newaxis]
    np.testing.assert_array_equal(
        scores(response), np.concatenate([predicted, labels, highest], axis=1)
    )


@pytest.mark.parametrize(
    ("content_type", "payload", "accept"),
    [
        ("text/csv", b"1,2,3\n" * 200_000, "application/json; explain=contributions"),
        ("text/csv", b"1,2,3\n" * 200_000, "text/csv; explain=contributions+leaves"),
        ("application/json", json.dumps(NUMBERS.tolist()).encode(), "application/jsonlines"),
        ("application/x-npy", npy(NUMBERS), "application/x-recordio-protobuf"),
        ("application/x-npy", npy(NUMBERS), "application/x-npy; explain=leaves"),
    ],
)
def test_response_too_large(server: Server, content_type: str, payload: bytes, accept: str) -> None:
    """A response above the limit is a 413 that names the setting and the alternative."""
    response = server.post(payload, content_type, Accept=accept)

    assert response.status_code == 413
    assert error_of(response) == (
        "response too large: expected at most 6,291,456 bytes; send fewer records at a time, or "
        "stream the response, as with Accept: text/csv; stream=true; "
        "SERVE_MAX_RESPONSE_IN_MB sets the limit"
    )
    assert response.json()["error"] == "ResponseTooLarge"


def test_streamed_response_has_no_limit(server: Server) -> None:
    """A streamed response may exceed the limit, because it is never held in memory."""
    rows = NUMBERS.tolist()
    payload = "".join(f"{a},{b},{c}\n" for a, b, c in rows).encode()
    response = server.post(payload, Accept="application/jsonlines; stream=true")

    assert len(response.content) > 6 << 20
    np.testing.assert_array_equal(scores(response), predict_with_xgboost(BOOSTER, NUMBERS))


@pytest.fixture(scope="module")
def wide_server(front_end: str, models: Path) -> Iterator[Server]:
    """Return a server of a model with many columns."""
    folder = save_artifact(WIDE_BOOSTER, models / f"wide-{front_end}")
    with running(folder, SERVE_MAX_RECORDS="1000") as running_server:
        yield running_server


def test_a_record_of_many_columns_counts_more_than_once(wide_server: Server) -> None:
    """A sparse record counts once for each 1,000 columns, because it has all of them in memory."""
    accepted, rejected = (
        wide_server.post(b"0 7:1\n" * count, "text/libsvm") for count in (200, 201)
    )

    numbers = np.full((1, len(WIDE_NAMES)), np.nan, np.float32)
    numbers[0, 7] = 1
    expected = WIDE_BOOSTER.inplace_predict(numbers)
    np.testing.assert_array_equal(scores(accepted), np.repeat(expected, 200))
    assert rejected.status_code == 413
    assert error_of(rejected) == (
        "payload too large: expected at most 200 records, got more; SERVE_MAX_RECORDS sets the "
        "limit"
    )


def test_unknown_keys_are_found_fast(wide_server: Server) -> None:
    """An object of many unknown keys is rejected soon, although the model has many names."""
    body = json.dumps({f"unknown {index}": 1 for index in range(150_000)})
    response = requests.post(
        f"{wide_server.url}/invocations",
        body,
        headers={"Content-Type": "application/json"},
        timeout=20,
    )

    assert response.status_code == 400
    assert 'missing columns "name 0"' in error_of(response)
