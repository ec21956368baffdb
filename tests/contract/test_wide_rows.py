"""A row that is far larger than a row of the model is rejected before it is parsed.

The limit is 1 MiB and 1 KiB per column, so these bodies are small. `make bench-wide` sends bodies
of 100 MiB, and measures their cost.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.payloads import npy
from tests.support.protobuf import framed
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
LIBSVM, NPY, RECORDIO = "text/libsvm", "application/x-npy", "application/x-recordio-protobuf"
WIDTH = 3
BOOSTER = train(random_features(300, WIDTH, seed=1), names=["a", "b", "c"])
ROW = predict_with_xgboost(BOOSTER, np.array([[1, 2, 3]]))
MIB = 1 << 20
LONG = MIB + (WIDTH << 10) + 1
COLUMNS = '; the columns are "a", "b", "c"'
TOO_LONG = "expected at most 1,051,648 bytes for 3 columns"
CURL = "; curl -d removes line breaks: use --data-binary instead"
# Two slices of a document.
ROWS = b",[1,2,3]" * (MIB // 4)
LAST_ROW = MIB // 4 + 2


@pytest.fixture(scope="module")
def server(front_end: str, models: Path) -> Iterator[Server]:
    with running(save_artifact(BOOSTER, models / f"wide-rows-{front_end}")) as running_server:
        yield running_server
        assert requests.get(f"{running_server.url}/ping", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        (CSV, b",," * LONG, f"row 1: expected 3 columns, got {2 * LONG + 1:,}{COLUMNS}{CURL}"),
        (CSV, b"1,2,3\n" + b"," * LONG, f"row 2: expected 3 columns, got {LONG + 1:,}{COLUMNS}"),
        (CSV, b"1,2," + b"3" * LONG, f"row 1: {TOO_LONG}"),
        (CSV, b'"1",2,' + b" " * LONG, f"row 1: {TOO_LONG}"),
        (CSV, b'1,2,3\n1,2,"' + b"a" * LONG, f"row 2: {TOO_LONG}"),
        (CSV, b'"' * LONG, f"row 1: {TOO_LONG}"),
        (CSV, b"1,2,3\n" + b'"\n",' * LONG, f"row 2: {TOO_LONG}"),
        (CSV, b"\0" * LONG, f"row 1: expected 3 columns, got 1{COLUMNS}; this is UTF-16"),
        (CSV, b"[[1,2,3]" + ROWS, "; this is JSON: set Content-Type: application/json"),
        (f"{CSV}; header=present", b"a," * LONG, f"row 1: expected 3 columns, got {LONG + 1:,}"),
        (f"{CSV}; header=present", b'"a\n",' * LONG, f"row 1: {TOO_LONG}"),
        (f'{CSV}; delimiter=";"', b"1;2;3\n" + b';","' * LONG, f"row 2: {TOO_LONG}"),
        (f'{CSV}; delimiter=";"', b'"1";2;3\n' + b';"\n"' * LONG, "expected at most"),
        (JSON_LINES, b"[1,2,3]\n[" + b"1," * LONG, f"row 2: expected 3 columns, got {LONG + 1:,}"),
        (JSON_LINES, b'["' + b"a" * LONG + b'"]', f"row 1: {TOO_LONG}"),
        (LIBSVM, b"0 1:2\n0 " + b"0:1 " * LONG, "row 2: expected at most 3 pairs, got 1,051,647"),
        (LIBSVM, b"0 1:2" + b" " * LONG, f"row 1: {TOO_LONG}"),
        (NPY, npy(np.zeros((1000, 1000))), f"row 1: expected 3 columns, got 1,000{COLUMNS}"),
        (RECORDIO, framed(b"\x18\x01" * MIB), f"row 1: {TOO_LONG}"),
        (RECORDIO, framed(b"\x0a\x00" * MIB), f"row 1: {TOO_LONG}"),
        (RECORDIO, framed(b"", 1) + framed(b"", 2) * (MIB // 4), f"row 1: {TOO_LONG}"),
    ],
)  # fmt: skip
def test_long_row(server: Server, content_type: str, body: bytes, message: str) -> None:
    """A row that is too wide or too long is a 400 with its number and what was expected."""
    response = server.post(body, content_type)

    assert response.status_code == 400
    assert message in error_of(response)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[" + b"1," * LONG + b"1]", f"row 1: expected 3 columns, got {LONG + 1:,}{COLUMNS}"),
        (b"[[1,2,3],[" + b"1," * LONG + b"1]]", f"row 2: expected 3 columns, got {LONG + 1:,}"),
        (b"[[1,2,3]" + ROWS + b",[" + b"1," * LONG + b"1]]", f"row {LAST_ROW}: expected 3"),
        (b"[[1,2,3],[1,2," + b"33" * LONG + b"]]", f"row 2: {TOO_LONG}"),
        (b"[[1,2,3]" + b"  " * LONG + b",[1,2,3]]", f"row 1: {TOO_LONG}"),
        (b"[[1,2,3],{" + b'"a":1,' * LONG + b'"b":1}]', f"row 2: {TOO_LONG}"),
        (b"[" + b"[]," * LONG + rb'["\u0030"]]', f"row 1: expected 3 columns, got 0{COLUMNS}"),
        (b"[" + b"[]," * LONG + b'"x"]', 'expected "]" or "]}" after the last row'),
        (b"[[1,2,3]" + ROWS + b",[1,2", 'expected "]" or "]}" after the last row'),
        (b"[[1,2,3]" + ROWS + b",[1,x,3]]", f"row {LAST_ROW}: invalid JSON: Expecting value"),
        (b"[[1,2,3]" + ROWS + b",[1,2]]]", f"row {LAST_ROW}: invalid JSON: Extra data"),
        (b"[[1,x,3]" + ROWS + b"]", "row 1: invalid JSON: Expecting value: line 1 column 4"),
        (b'"' + b"a" * LONG + b'"', 'expected {"instances": [row, ...]} or a list of rows'),
        (b'{"' + b"a" * LONG + b'": 1}', 'expected {"instances": [row, ...]} or a list of rows'),
        (b"1" * LONG, 'expected {"instances": [row, ...]} or a list of rows'),
        (b"[" * LONG, 'expected "]" or "]}" after the last row'),
        (b"[" * LONG + b"]" * LONG, f"row 1: {TOO_LONG}"),
        (b" " * LONG, "expected JSON, got only whitespace"),
        (b" " * LONG + b"[[1,2,3]]", 'expected {"instances": [row, ...]} or a list of rows'),
        (b"1,2,3\n" * LONG, "this is CSV: send Content-Type: text/csv"),
        (b'[["' + b"\\" * 2 * LONG + b'"]]', f"row 1: {TOO_LONG}"),
    ],
)
def test_large_json_document(server: Server, body: bytes, message: str) -> None:
    """A large document is read row by row, and never parsed as a whole to find an error in it."""
    response = server.post(body, JSON)

    assert response.status_code == 400
    assert message in error_of(response)


@pytest.mark.parametrize(
    ("start", "row", "end"),
    [
        (b'{"instances": [', b"[1,2,3]", b"]}"),
        (b'{"instances": [', b"[3,2,1]", b'], "feature_names": ["c", "b", "a"]}'),
        (b'{"feature_names": ["c", "b", "a"], "instances": [', b"[3, 2, 1]", b" ] } \n"),
        (b"[", b'{"a": 1, "b": 2, "c": 3}', b"]"),
        (b"[", rb'{"\u0061": 1, "b": 2, "c": 3}', b"]"),
        (b"\n [\n  ", b"[\n    1,\n    2,\n    3\n  ]", b"\n]\n"),
        (b"[", b'{"data": {"features": {"keys": [0, 1, 2], "values": [1, 2, 3]}}}', b"]"),
    ],
)
def test_large_document_of_rows(server: Server, start: bytes, row: bytes, end: bytes) -> None:
    """Rows of a large document in every documented shape get their predictions."""
    count = 5 * MIB // 2 // len(row)
    response = server.post(start + b",\n".join([row] * count) + end, JSON)

    np.testing.assert_array_equal(scores(response), np.repeat(ROW, count))


def test_brackets_in_labels(models: Path) -> None:
    """A label that contains brackets and commas, like those between two rows, is still a label."""
    labels = ["],[", '"},{"', "[["]
    codes = np.arange(300) % 3
    booster = train(codes.reshape(-1, 1).astype(np.float32), codes, names=["a"], types=["c"])
    folder = save_artifact(booster, models / "brackets")
    features = [{"name": "a", "type": "c", "categories": labels}]
    (folder / "schema.json").write_text(json.dumps({"features": features}))
    rows = [[labels[code]] for code in np.tile(codes, 1000)]
    expected = np.tile(predict_with_xgboost(booster, codes.reshape(-1, 1)), 1000)
    with running(folder) as server:
        for document in (rows, [{"a": row[0]} for row in rows]):
            body = json.dumps(document).encode()
            assert len(body) > 2 * MIB
            np.testing.assert_array_equal(scores(server.post(body, JSON)), expected)


def test_quoted_rows_across_slices(server: Server) -> None:
    """A large payload with quotes is read in slices, wherever its line breaks are."""
    count = 200_000
    payload = b'"1",2,3\r\n1,"2\r\n",3\n' * count
    response = server.post(payload, CSV)
    np.testing.assert_array_equal(scores(response), np.repeat(ROW, 2 * count))
    response = server.post(b'"1",2,3\n 1,"2",3\r\n' * count, CSV)
    np.testing.assert_array_equal(scores(response), np.repeat(ROW, 2 * count))
    response = server.post(b'"1";2;3\n 1;"2";3\r\n' * count, f'{CSV}; delimiter=";"')
    np.testing.assert_array_equal(scores(response), np.repeat(ROW, 2 * count))
    response = server.post(b"1,2,3\r1,2,3\r\n1,2,3\n" * count, CSV)
    np.testing.assert_array_equal(scores(response), np.repeat(ROW, 3 * count))


def test_wide_model_accepts_long_rows(models: Path) -> None:
    """A model of 30,000 columns accepts rows of its width, although they are longer than 1 MiB."""
    width = 30_000
    features = random_features(20, width, seed=4, missing=0)
    booster = train(features, np.arange(20))
    expected = predict_with_xgboost(booster, features)
    line = [",".join(f"{value!r:>40}" for value in row) for row in features.tolist()]
    assert len(line[0]) > MIB
    with running(save_artifact(booster, models / "wide-model")) as server:
        for content_type, payload in {
            CSV: "\n".join(line),
            f'{CSV}; delimiter=";"': "\n".join(line).replace(",", ";"),
            JSON: "[" + ",".join(f"[{row}]" for row in line) + "]",
            JSON_LINES: "\n".join(f"[{row}]" for row in line),
        }.items():
            response = server.post(payload.encode(), content_type)
            np.testing.assert_array_equal(scores(response), expected, content_type)
        response = server.post(("1," * 31 * width).encode(), CSV)

    assert response.status_code == 400
    assert "expected 30,000 columns, got 930,001" in error_of(response)
