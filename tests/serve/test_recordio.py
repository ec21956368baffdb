"""application/x-recordio-protobuf: records written by Google's library, and invalid ones."""

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.protobuf import (
    MAGIC,
    Record,
    UnpackedRecord,
    dense,
    framed,
    labeled,
    read_scores,
    record,
    sparse,
)
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

RECORDIO = "application/x-recordio-protobuf"
NAN = float("nan")
WIDTH = 3
BOOSTER = train(random_features(300, WIDTH, seed=1), names=["a", "b", "c"])
CLASSES = train(
    random_features(300, WIDTH, seed=1), np.arange(300) % 3, objective="multi:softprob", num_class=3
)
MATRIX = random_features(50, WIDTH, seed=2)
ROW = record([1, 2, 3])


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    with running(save_artifact(BOOSTER, models / "recordio")) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def classes(models: Path) -> Iterator[Server]:
    with running(save_artifact(CLASSES, models / "recordio-classes")) as running_server:
        yield running_server


def matrix(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def delimited(number: int, content: bytes) -> bytes:
    """Return a length-delimited field."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def entry(name: bytes, value: bytes) -> bytes:
    """Return an entry of a record's features: its name and its Value."""
    return delimited(1, delimited(1, name) + delimited(2, value))


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_dense_and_sparse_records(server: Server, kind: str) -> None:
    """3.17: dense and sparse records of both float types get XGBoost's own predictions."""
    expected = predict_with_xgboost(BOOSTER, MATRIX)

    for body in (dense(MATRIX, kind), sparse(MATRIX, kind), sparse(MATRIX, kind, shape=False)):
        response = server.post(body, RECORDIO)

        assert response.headers["Content-Type"] == "text/csv"
        np.testing.assert_array_equal(scores(response), expected)


@pytest.mark.parametrize(
    ("messages", "rows"),
    [
        (
            [record([1, -2, 3], kind="int32"), record([-7], [2], [3], kind="int32")],
            [[1, -2, 3], [NAN, NAN, -7]],
        ),
        (
            [
                record([1, 2, 3], message=UnpackedRecord),
                record([5, 4], [2, 0], [3], message=UnpackedRecord),
            ],
            [[1, 2, 3], [4, NAN, 5]],
        ),
        ([record([1, 2, 3], kind="float64", message=UnpackedRecord)], [[1, 2, 3]]),
        ([record([1, 2, -3], kind="int32", message=UnpackedRecord)], [[1, 2, -3]]),
        ([record([5, 4], [2, 0], [1, 3])], [[4, NAN, 5]]),
        ([record([1, 2, 3], shape=[3]), ROW, record([1, 2, 3], shape=[3, 1])], [[1, 2, 3]] * 3),
        ([ROW, record([9], [0], [3]), ROW, ROW], [[1, 2, 3], [9, NAN, NAN], [1, 2, 3], [1, 2, 3]]),
        ([record([1, 2, 3]), record([1, 2, 3], kind="float64")], [[1, 2, 3]] * 2),
        ([record([0.1, NAN, 1e-50], kind="float64")], [[0.1, NAN, 0]]),
        (
            [
                labeled(ROW, 5.0, uid="x", metadata="{}"),
                ROW,
                labeled(ROW, 6.0),
                labeled(ROW, 7.0),
            ],
            [[1, 2, 3]] * 4,
        ),
        ([Record(uid="only").SerializeToString() + ROW], [[1, 2, 3]]),
        (
            [
                entry(b"id", b"\x4a\x03\x0a\x01x") + ROW,
                ROW + entry(b"weights", b"\x12\x06\x0a\x04abcd"),
                entry(b"id", b"\xff") + record([5, 4], [2, 0], [3]),
                entry(b"id", b"") + record([7, 8, 9]),
                entry(b"id", b"") + record([4, 5, 6]),
            ],
            [[1, 2, 3], [1, 2, 3], [4, NAN, 5], [7, 8, 9], [4, 5, 6]],
        ),
    ],
)
def test_accepted_spellings(server: Server, messages: list[bytes], rows: list[list[float]]) -> None:
    """Integers, unpacked numbers and shapes are accepted; other features and IDs are ignored."""
    response = server.post(b"".join(map(framed, messages)), RECORDIO)

    np.testing.assert_array_equal(scores(response), predict_with_xgboost(BOOSTER, matrix(*rows)))


@pytest.mark.parametrize(
    "empty",
    [
        record([], [], [WIDTH]),
        record([]),
        entry(b"values", b""),
    ],
    ids=["shape only", "no keys", "no tensor"],
)
def test_records_without_values_are_rows(server: Server, empty: bytes) -> None:
    """5.9: a tensor without values is a row of missing values; AWS's reader drops it or fails."""
    response = server.post(b"".join(map(framed, (ROW, empty, ROW, empty))), RECORDIO)

    np.testing.assert_array_equal(
        scores(response),
        predict_with_xgboost(BOOSTER, matrix([1, 2, 3], [NAN] * 3, [1, 2, 3], [NAN] * 3)),
    )


@pytest.mark.parametrize(
    "other",
    [Record().SerializeToString(), labeled(b"", 1.0), Record(uid="x").SerializeToString()],
    ids=["no bytes", "label only", "ID only"],
)
def test_records_without_the_feature_are_rejected(server: Server, other: bytes) -> None:
    """3.14: a record without the feature "values" is a 400 with its row, not a row of nothing."""
    response = server.post(framed(ROW) + framed(other), RECORDIO)

    assert response.status_code == 400
    assert error_of(response).startswith(
        'row 2: invalid protobuf record: expected the feature "values" once'
    )


def list_tags(message: bytes, start: int, end: int, depth: int) -> list[int]:
    """Return the offsets of the tags in a message of short fields, and in those that it nests."""
    tags = []
    while start < end:
        tags.append(start)
        wire_type, value = message[start] & 7, start + 1
        if wire_type == 2:
            length, value = message[value], value + 1
            is_name = depth == 1 and message[start] >> 3 == 1
            if depth < 3 and not is_name:
                tags += list_tags(message, value, value + length, depth + 1)
            start = value + length
        else:
            start = value + {1: 8, 5: 4}[wire_type] if wire_type else value + 1
    return tags


@pytest.mark.parametrize(
    "message",
    [
        record([1, 2, 3]),
        record([1, 2, 3], shape=[3], kind="float64"),
        record([1, 2, 3], message=UnpackedRecord),
        record([4, 5], [0, 2], [3]),
        record([4, 5], [0, 2], message=UnpackedRecord),
        record([4, 5, 6], kind="int32"),
        record([7], [1], kind="int32"),
    ],
)
def test_damaged_tags_are_rejected(server: Server, message: bytes) -> None:
    """3.14: a record in which one bit of a tag is wrong is a 400, or gets the same prediction."""
    tags = list_tags(message, 0, len(message), 0)
    intact = scores(server.post(framed(message), RECORDIO))
    for offset in tags:
        for bit in range(8):
            damaged = bytearray(message)
            damaged[offset] ^= 1 << bit
            response = server.post(framed(ROW) + framed(bytes(damaged)), RECORDIO)

            assert response.status_code in (200, 400)
            if response.status_code == 200:
                np.testing.assert_array_equal(scores(response)[1:], intact)
            else:
                assert error_of(response).startswith("row 2")

    assert len(tags) >= 4


def test_records_in_parts(server: Server) -> None:
    """A record that contains the magic number may be split there into several parts."""
    magic = struct.pack("<I", MAGIC)
    value = struct.unpack("<f", magic)[0]
    message = record([1, value, 3], kind="float32")
    parts = message.split(magic)
    whole = server.post(framed(message), RECORDIO)
    split = server.post(
        framed(ROW) + framed(parts[0], 1) + framed(parts[1], 3) + framed(ROW), RECORDIO
    )
    thrice = server.post(framed(ROW[:0], 1) + framed(b"", 2) + framed(b"", 3), RECORDIO)

    assert len(parts) == 2
    np.testing.assert_array_equal(
        scores(whole), predict_with_xgboost(BOOSTER, matrix([1, value, 3]))
    )
    np.testing.assert_array_equal(
        scores(split), predict_with_xgboost(BOOSTER, matrix([1, 2, 3], [1, value, 3], [1, 2, 3]))
    )
    assert error_of(thrice).startswith("row 1: invalid protobuf record")


def test_padding_is_ignored(server: Server) -> None:
    """The content of the padding is ignored, and the last record may have none."""
    message = labeled(ROW, 1.0, uid="a")
    body = framed(message)
    assert len(body) > len(message) + 8

    expected = predict_with_xgboost(BOOSTER, matrix([1, 2, 3], [1, 2, 3]))
    np.testing.assert_array_equal(
        scores(server.post(body[: len(message) + 8], RECORDIO)), expected[:1]
    )
    np.testing.assert_array_equal(
        scores(server.post(body + body[: len(message) + 8], RECORDIO)), expected
    )
    padded = body[: len(message) + 8] + b"\xff" * (len(body) - len(message) - 8)
    np.testing.assert_array_equal(scores(server.post(padded + body, RECORDIO)), expected)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (framed(ROW)[:-1], "row 1: truncated record: expected 28 bytes, got 27"),
        (framed(ROW) + framed(ROW)[:7], "row 2: truncated record"),
        (
            framed(ROW) + b"\0" * 8,
            "row 2: expected the magic number 0xced7230a of a RecordIO record, got 0x00000000",
        ),
        (b"1,2,3\n4,5,6\n", "row 1: expected the magic number 0xced7230a"),
        (
            struct.pack("<II", MAGIC, (1 << 29) - 1),
            "row 1: truncated record: expected 536,870,911 bytes, got 0",
        ),
        (framed(ROW, 4), "row 1: expected a record flag from 0 to 3, got 4"),
        (framed(ROW, 2), "row 1: incomplete multi-part record"),
        (framed(ROW, 3), "row 1: incomplete multi-part record"),
        (framed(ROW) + framed(ROW, 1), "row 2: truncated record"),
        (framed(ROW, 1) + framed(ROW), "row 1: incomplete multi-part record"),
        (framed(ROW, 1) + framed(ROW, 1), "row 1: incomplete multi-part record"),
        (framed(record([1, 2])), 'row 1: expected 3 columns, got 2; the columns are "a", "b", "c"'),
        (framed(ROW) + framed(record([1, 2, 3, 4])), "row 2: expected 3 columns, got 4"),
        (
            framed(ROW) * 3 + framed(record([1, 2, 3], shape=[4])),
            "row 4: expected a tensor of 3 values, got 4",
        ),
        (framed(record([1], [0], [4])), "row 1: expected a tensor of 3 values, got 4"),
        (
            framed(record([1], [0], [1 << 60] * 2)),
            "row 1: expected a tensor of 3 values, got 1329227995784915872903807060280344576",
        ),
        (framed(record([1], [0], [1 << 60] * 40)), "more than 32 values"),
        (framed(record([1], [3], [3])), "row 1: expected keys from 0 to 2, got 3"),
        (
            framed(record([1], [1 << 63])),
            "row 1: expected keys from 0 to 2, got 9223372036854775808",
        ),
        (framed(record([1, 2], [1, 1], [3])), "row 1: duplicate key"),
        (
            framed(record([1, 2], [1], [3])),
            "row 1: expected as many keys as values, got 1 key and 2 values",
        ),
        (
            framed(record([], [1], [3])),
            "row 1: expected as many keys as values, got 1 key and 0 values",
        ),
        (framed(record([1] * 4, range(4))), "more than 3 values"),
        (
            framed(record([1, 2, float("inf")])),
            'row 1, column "c": expected a number within float32 range, got Infinity',
        ),
        (
            framed(record([1, 1e300, 3], kind="float64")),
            'row 1, column "b": expected a number within float32 range, got 1e+300',
        ),
        (
            framed(record([1], [1], [3])) + framed(record([-1e300], [2], [3], "float64")),
            'row 2, column "c": expected a number within float32 range, got -1e+300',
        ),
        (
            framed(entry(b"values", b"\x4a\x03\x0a\x01x")),
            'expected the feature "values" once, with one tensor of float32, float64 or',
        ),
        (
            framed(entry(b"carat", b"\x12\x06\x0a\x04abcd")),
            'row 1: invalid protobuf record: expected the feature "values" once',
        ),
        (framed(ROW) + framed(entry(b"Values", b"")), "row 2: invalid protobuf record: expected"),
        (framed(entry(b"", b"")), 'expected the feature "values" once'),
        (framed(ROW + ROW), 'expected the feature "values" once'),
        (framed(ROW + entry(b"x", b"") * 1000), "more than 1,000 features"),
        (
            framed(entry(b"values", b"\x12\x00\x12\x00")),
            'expected the feature "values" once, with one tensor',
        ),
        (framed(entry(b"values", b"\x12\x05\x0a\x03abc")), "truncated value"),
        (
            framed(entry(b"values", b"\x12\x09\x09" + bytes(8))),
            "field 1: expected wire type 5, got ",
        ),
        (framed(entry(b"values", b"\x10\x01")), "field 2: expected wire type 2, got 0"),
        (
            framed(entry(b"values", b"\x3a\x07\x0a\x05\xff\xff\xff\xff\x7f")),
            "int32 value of more than 32 bits",
        ),
        (framed(entry(b"values", b"\x3a\x04\x0a\x02\x01\x80")), "truncated varint"),
        (
            framed(entry(b"values", b"\x3a\x0d\x0a\x0b\x01" + b"\xff" * 9 + b"\x02")),
            "varint of more than 64 bits",
        ),
        (framed(b"\x0b"), "unknown wire type 3"),
        (framed(ROW + b"\x02\x00"), "field number 0"),
        (framed(delimited(1, delimited(1, b"values") + b"\x02\x00")), "field number 0"),
        (framed(b"\x0a"), "truncated varint"),
        (framed(b"\x80" * 20), "truncated varint"),
        (framed(b"\x0a" + varint(1 << 60)), "truncated field"),
        (framed(ROW[:-1]), "truncated field"),
        (
            framed(delimited(1, delimited(1, b"values") + b"\x12" + varint(1 << 60))),
            "truncated field",
        ),
        (framed(entry(b"values", b"\x12" + varint(1 << 60) + b"\x0a")), "truncated field"),
        (framed(b"{}"), "row 1: invalid protobuf record"),
    ],
)
def test_invalid_records(server: Server, body: bytes, message: str) -> None:
    """3.14: an invalid frame, message or tensor is a 400 with its row, without an allocation."""
    response = server.post(body, RECORDIO)

    assert response.status_code == 400
    assert message in error_of(response)


@pytest.mark.parametrize("index", [0, 4, 1233, 24_999])
def test_different_record_among_uniform_ones(server: Server, index: int) -> None:
    """A sparse or wider record is read correctly among uniform ones, which are read at once."""
    rows = np.tile(random_features(1000, WIDTH, seed=4, missing=0), (25, 1))
    messages = [
        framed(labeled(record(row.tolist()), number, uid=f"{number:05}"))
        for number, row in enumerate(rows)
    ]
    good = b"".join(messages)
    messages[index] = framed(record([1, 2], [0, 2], [WIDTH]))
    mixed = b"".join(messages)
    messages[index] = framed(record([1, 2, 3, 4]))
    wide = b"".join(messages)
    rows_mixed = rows.copy()
    rows_mixed[index] = [1, NAN, 2]

    np.testing.assert_array_equal(
        scores(server.post(good, RECORDIO)), predict_with_xgboost(BOOSTER, rows)
    )
    np.testing.assert_array_equal(
        scores(server.post(mixed, RECORDIO)), predict_with_xgboost(BOOSTER, rows_mixed)
    )
    assert error_of(server.post(wide, RECORDIO)).startswith(
        f"row {index + 1}: expected 3 columns, got 4"
    )


@pytest.mark.parametrize("sent", ["text/csv", RECORDIO])
def test_responses(server: Server, classes: Server, sent: str) -> None:
    """Each record has its prediction as the label "score", as in SageMaker's own algorithms."""
    body: Any = {"text/csv": "1,2,3\n4,5,6\n", RECORDIO: dense(matrix([1, 2, 3], [4, 5, 6]))}[sent]
    scalar = server.post(body, sent, Accept=RECORDIO)
    vector = classes.post(body, sent, Accept=RECORDIO)
    empty = server.post(b"[]", "application/json", Accept=RECORDIO)

    assert scalar.headers["Content-Type"] == RECORDIO
    assert read_scores(scalar.content) == [
        [score] for score in predict_with_xgboost(BOOSTER, matrix([1, 2, 3], [4, 5, 6])).tolist()
    ]
    assert (
        read_scores(vector.content)
        == predict_with_xgboost(CLASSES, matrix([1, 2, 3], [4, 5, 6])).tolist()
    )
    assert (empty.status_code, empty.content) == (200, b"")


def test_responses_with_many_values(models: Path) -> None:
    """A response is correct where the length of a field takes two bytes."""
    booster = train(
        random_features(300, WIDTH, seed=1),
        np.arange(300) % 60,
        rounds=2,
        objective="multi:softprob",
        num_class=60,
    )
    with running(save_artifact(booster, models / "recordio-sixty")) as server:
        response = server.post(dense(MATRIX), RECORDIO, Accept=RECORDIO)

    np.testing.assert_array_equal(scores(response), predict_with_xgboost(booster, MATRIX))


def test_expensive_bodies_are_rejected_quickly(server: Server) -> None:
    """Millions of fields, keys or values for three columns are a 400, without a delay after."""
    million = 1_000_000
    for message in (
        record([1], [1] * million),
        record([1.0] * million),
        record([1.0] * million, message=UnpackedRecord),
        record([1] * million, kind="int32"),
        entry(b"values", b"\x12\x00" * million),
        entry(b"values", delimited(2, b"\x0a\x00" * million)),
        entry(b"values", delimited(2, b"\x12" + varint(million) + b"\xff" * million)),
        entry(b"x", b"") * million,
    ):
        response = server.post(framed(message), RECORDIO)

        assert response.status_code == 400
    started = time.monotonic()
    np.testing.assert_array_equal(
        scores(server.post("1,2,3")), predict_with_xgboost(BOOSTER, matrix([1, 2, 3]))
    )
    assert time.monotonic() - started < 30
