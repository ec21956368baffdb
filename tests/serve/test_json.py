"""application/json and application/jsonlines: document shapes, and errors that name the row."""

import base64
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.payloads import npy
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

NAMED = train(random_features(300, 3, seed=1), names=["a", "b", "c"])
UNNAMED = train(random_features(300, 3, seed=1))
NAN = float("nan")


@pytest.fixture(scope="module")
def named(models: Path) -> Iterator[Server]:
    with running(save_artifact(NAMED, models / "json-named")) as server:
        yield server


@pytest.fixture(scope="module")
def unnamed(models: Path) -> Iterator[Server]:
    with running(save_artifact(UNNAMED, models / "json-nameless")) as server:
        yield server


def matrix(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ('{"instances": [[1, 2, 3], [4, 5, 6]]}', [[1, 2, 3], [4, 5, 6]]),
        ('{"instances": [{"features": [1, 2, 3]}]}', [[1, 2, 3]]),
        ('{"instances": [{"data": {"features": {"values": [1, 2, 3]}}}]}', [[1, 2, 3]]),
        ('{"instances": [{"data": {"features": [1, 2, 3]}}]}', [[1, 2, 3]]),
        ('{"instances": [{"features": {"values": [1, 2, 3], "shape": [3]}}]}', [[1, 2, 3]]),
        ('{"instances": [{"configuration": {}, "data": {"features": [1, 2, 3]}}]}', [[1, 2, 3]]),
        ('{"data": {"features": {"values": [1, null, 3]}}}', [[1, NAN, 3]]),
        (
            '[{"data": {"features": {"keys": [2, 0], "shape": [3], "values": [3, 1]}}}]',
            [[1, NAN, 3]],
        ),
        ('[{"features": {"keys": [], "shape": [3], "values": []}}]', [[NAN, NAN, NAN]]),
        (
            '{"feature_names": ["c", "a", "b"], "instances": [{"data": {"features": [3, 1, 2]}}]}',
            [[1, 2, 3]],
        ),
        (
            """{"feature_names": ["c", "a", "b"],
                "instances": [{"features": {"keys": [0], "values": [3]}}]}""",
            [[NAN, NAN, 3]],
        ),
        ('{"instances": [{"c": 3, "a": 1, "b": 2}]}', [[1, 2, 3]]),
        (
            '{"instances": [{"c": 3, "a": 1, "b": 2}, {"a": 4, "b": 5, "c": 6}]}',
            [[1, 2, 3], [4, 5, 6]],
        ),
        ('{"instances": [[1, 2, 3], {"features": [7, 8, 9]}]}', [[1, 2, 3], [7, 8, 9]]),
        ('{"feature_names": ["c", "a", "b"], "instances": [[3, 1, 2]]}', [[1, 2, 3]]),
        ('{"feature_names": ["c", "a", "b"], "instances": [{"features": [3, 1, 2]}]}', [[1, 2, 3]]),
        ("[[1, 2, 3]]", [[1, 2, 3]]),
        ('[{"features": [1, 2, 3]}]', [[1, 2, 3]]),
        ('[{"c": 3, "a": 1, "b": 2}]', [[1, 2, 3]]),
        ('{"c": 3, "a": 1, "b": 2}', [[1, 2, 3]]),
        ('{"features": [1, 2, 3]}', [[1, 2, 3]]),
        ("[1, 2, 3]", [[1, 2, 3]]),
        ("[null, 2, NaN]", [[NAN, 2, NAN]]),
        ("\ufeff [ 1,\r\n\t2, 3.5e0 ] \n", [[1, 2, 3.5]]),
        ("[1, 2, 3]\n[4, 5, 6]\n", [[1, 2, 3], [4, 5, 6]]),
        ('{"c": 3, "a": 1, "b": 2}\n{"a": 4, "c": 6, "b": 5}', [[1, 2, 3], [4, 5, 6]]),
        ("[16777217, 0.1, -1e-50]", [[16777217, 0.1, 0]]),
        ('{"instances": []}', []),
        ("[]", []),
    ],
)
def test_document_shapes(named: Server, body: str, rows: list[list[float]]) -> None:
    """3.17, 5.8 and 10.9: every documented shape, and JSON Lines sent as application/json."""
    expected = predict_with_xgboost(NAMED, matrix(*rows)) if rows else np.empty(0)

    response = named.post(body.encode(), "application/json")

    assert response.headers["Content-Type"] == "application/json"
    np.testing.assert_array_equal(scores(response), expected)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", None),
        ("  ", "expected JSON, got only whitespace"),
        ("nonsense", "invalid JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[[1, 2, 3]", "invalid JSON: "),
        ("[[1, 2, 3],]", "invalid JSON: "),
        ("3", 'expected {"instances": [row, ...]}'),
        ('"text"', 'expected {"instances": [row, ...]}'),
        (
            '{"instances": [3]}',
            "row 1: expected a list of values or an object with a value for each column, got 3",
        ),
        ('{"instances": [[1, 2, 3], null]}', "row 2: expected a list of values or an object"),
        (
            '{"instances": [[1, 2, 3]], "signature": 1}',
            'expected only the keys "instances" and "feature_names", each once, got "instances", ',
        ),
        (
            '{"instances": [[1, 2, 3]], "instances": [[4, 5, 6]]}',
            'expected only the keys "instances" and "feature_names", each once, got "instances", ',
        ),
        (
            '{"instances": [[1, 2, 3]], "feature_names": "abc"}',
            '"feature_names": expected a list of strings, got "abc"',
        ),
        (
            '{"instances": [[1, 2, 3]], "feature_names": ["a", "b", "x"]}',
            '"feature_names": missing column "c"; unknown column "x"',
        ),
        (
            '{"instances": [[1, 2, 3]], "feature_names": ["a", "b"]}',
            '"feature_names": missing column "c"',
        ),
        ('{"instances": [[1, 2, 3], [1, 2]]}', "row 2: expected 3 columns, got 2"),
        ('[{"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3}]', 'row 2: missing column "b"'),
        (
            '[{"a": 1, "b": 2, "c": 3, "d": 4}]',
            'row 1: unknown column "d"; remove unknown columns',
        ),
        ('[{"a": 1, "b": 2, "c": 3, "b": 4}]', 'row 1: repeated column "b"'),
        ('{"a" :1, "a":2, "b":3, "c": 3}', 'row 1: repeated column "a"'),
        ('[{" a": 1, "a": 2, "b": 3, "c": 3}]', 'row 1: repeated column "a"'),
        ('[{" a": 1, "a ": 2, "b": 3, "c": 3}]', 'row 1: repeated column "a"'),
        ('{"a": 1, "\\u0061": 2, "b": 3, "c": 3}', 'row 1: repeated column "a"'),
        ("{}", 'row 1: missing columns "a", "b", "c"'),
        (
            '[[1, 2, 3], {"a": 1, "b": 2, "c": 3}]',
            "row 2: expected a list, like the rows before it",
        ),
        (
            '[{"a": 1, "b": 2, "c": 3}, [1, 2, 3]]',
            "row 2: expected an object, like the rows before it",
        ),
        (
            '{"instances": [{"a": 1, "b": 2, "c": 3}], "feature_names": ["a", "b", "c"]}',
            'row 1: expected a list of values in the order of "feature_names", got an object',
        ),
        ('[[1, "2", 3]]', 'row 1, column "b": expected a number, got the string "2"'),
        (
            '[{"c": 3, "b": "x", "a": 1}]',
            'row 1, column "b": expected a number, got the string "x"',
        ),
        (
            "[[1, true, 3]]",
            ('row 1, column "b": expected a number, got true; send 1 or 0 for true or false'),
        ),
        ("[[1, [2], 3]]", 'row 1, column "b": expected a number, got [2]'),
        ('[[1, {"x": 2}, 3]]', 'row 1, column "b": expected a number, got {"x": 2}'),
        (
            "[[1, Infinity, 3]]",
            'row 1, column "b": expected a number within float32 range, got Infinity',
        ),
        (
            "[[1, -Infinity, 3]]",
            'row 1, column "b": expected a number within float32 range, got -Infinity',
        ),
        (
            "[[1, 3.5e38, 3]]",
            'row 1, column "b": expected a number within float32 range, got 3.5e+38',
        ),
        ("[[1, 1e400, 3]]", "expected a number within float32 range, got "),
        (f"[[1, {10**400}, 3]]", "expected a number within float32 range, got "),
        (f"[[1, {'9' * 5000}, 3]]", "expected a number within float32 range, got "),
        ("[" * 100_000, "invalid JSON: nested too deeply"),
        ("[1, 2, 3]\n[4, 5, x]", "row 2: invalid JSON: "),
        (
            "[1, 2, 3]\n\n[4, 5, 6]",
            "row 2: expected a record, got a blank line; only trailing blank lines are ignored",
        ),
        ("[1, 2\n3, 4]", "invalid JSON: "),
        ("[[1,2,3]4,[5,6,7]]", "invalid JSON: "),
        ("[[1,2,3],4[5,6,7]]", "invalid JSON: "),
        ("[[1,2,]3,[5,6,7]]", "invalid JSON: "),
        ("[[1,2,3] , 4[,6,7]]", "invalid JSON: "),
        ("[[1,2,3]e5,[5,6,7]]", "invalid JSON: "),
        ("[[1,2,3]4]", "invalid JSON: "),
        ("[[1,2,]3]", "invalid JSON: "),
        ('{"instances": [[1, 2, ] 3, [5, 6, 7]]}', "invalid JSON: "),
        ("[1,2,3]\n4,[5,6,7]", "invalid JSON: "),
    ],
)
def test_invalid_documents(named: Server, body: str, message: str | None) -> None:
    """3.14: an invalid document is a 400 with the row, and the expected and actual value."""
    response = named.post(body, "application/json")

    if message is None:
        assert response.status_code == 204
        return
    assert response.status_code == 400
    assert message in error_of(response)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[1, 2, 3]\n3\n", "row 2: expected a list of values or an object"),
        (
            "[1, 2, 3]\n\n[1, 2, 3]",
            "row 2: expected a record, got a blank line; only trailing blank lines are ignored",
        ),
        ("[1, 2, 3]\n[1, 2\n", "row 2: invalid JSON"),
        ("[1, 2\n3],[4, 5, 6]", "row 1: invalid JSON"),
        (
            '{"a": 1, "b": 2, "c": 3}\n{"a": 1, "a": 2, "b": 2, "c": 3}',
            'row 2: repeated column "a"',
        ),
        (
            '{"instances": [[1, 2, 3]]}',
            'row 1: expected one record, got a document with "instances"; send one document per',
        ),
        ("[[1, 2, 3], [4, 5, 6]]", "; send each of its values as a row"),
        ("[1, 2, 3] [4, 5, 6]", "row 1: invalid JSON"),
        ("[1, 2, 3], [4, 5, 6]\n[7, 8\n9]", "row 1: invalid JSON"),
        ("[1, 2, 3]\n[4, 5\n, 6]", "row 2: invalid JSON"),
        ("[1, 2, 3],\n[4, 5, 6]", "; remove the trailing comma"),
        ('{\n"a": 1,\n"b": 2, "c": 3}', "; write each record on one line, or send a document as"),
        ("[1, 2, 3]\nnull", "row 2: expected a list of values or an object"),
        ("1,2,3\n4,5,6", "; this is CSV: send Content-Type: text/csv"),
        ("[]", "row 1: expected 3 columns, got 0"),
        (" \n\n", "expected JSON Lines, got only blank lines"),
        ("\ufeff\n".encode(), "expected JSON Lines, got only blank lines"),
        (
            '{"features": [1, 2, 3]}\n{"features": [1, 2, 3], "id": 1}',
            'row 2: expected no other key beside "features", got "id"; remove it',
        ),
        (b"[1, 2, 3]\n\xff", "row 2: invalid JSON"),
    ],
)
def test_invalid_lines(named: Server, body: str | bytes, message: str) -> None:
    """3.14: an invalid line is a 400 that names its row."""
    response = named.post(body, "application/jsonlines")

    assert response.status_code == 400
    assert message in error_of(response)


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ('{"features": [1, 2, 3]}\r\n[4, 5, 6]\r\n', [[1, 2, 3], [4, 5, 6]]),
        ("[1, NaN, null]\n\n \n", [[1, NAN, NAN]]),
        ('\ufeff{"c": 6, "a": 4, "b": 5}', [[4, 5, 6]]),
        (
            """{"data": {"features": {"keys": [0, 2], "shape": [3], "values": [1, 4]}}}
               {"data": {"features": {"values": [1.5, 16.0, 14.0]}}}
               {"features": [2.5, 16.0, 14.0]}""",
            [[1, NAN, 4], [1.5, 16, 14], [2.5, 16, 14]],
        ),
    ],
)
def test_json_lines(named: Server, body: str, rows: list[list[float]]) -> None:
    """3.17 and 5.15: one response line per line, without trailing blank lines."""
    response = named.post(body.encode(), "application/jsonlines")

    expected = predict_with_xgboost(NAMED, matrix(*rows)) if rows else np.empty(0)
    assert len(response.text.splitlines()) == len(rows)
    np.testing.assert_array_equal(scores(response), expected)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ('{"features": [1, 2, 3], "id": 7}', 'no other key beside "features", got "id"; remove it'),
        ('{"features": [1, 2, 3], "base_margin": 7}', "; base_margin is not supported: add it to"),
        ('{"data": {"features": [1, 2, 3]}, "label": 7}', 'beside "data", got "label"; remove it'),
        ('{"data": {"features": [1, 2, 3], "x": 7}}', 'beside "features", got "x"; remove it'),
        (
            '{"configuration": {"k": 1}, "features": [1, 2, 3]}',
            '"configuration": expected an empty object, got {"k": 1}',
        ),
        ('{"features": [1, 2, 3], "features": [4, 5, 6]}', "expected each key once, got "),
        (
            '{"data": {"features": [1, 2, 3], "features": [4, 5, 6]}}',
            'expected each key once, got "features", "features"',
        ),
        ('{"features": {"values": [1, 2, 3], "values": [4, 5, 6]}}', 'got "values", "values" in'),
        ('{"features": {"values": [1, 2, 3], "mean": 1}}', 'got "values", "mean" in "features"'),
        ('{"features": {"values": [1, 2]}}', "row 1: expected 3 columns, got 2"),
        ('{"features": {"values": []}}', "row 1: expected 3 columns, got 0"),
        ('{"features": {"values": 1}}', '"values": expected a list, got 1'),
        ('{"features": {"vals": [1, 2, 3]}}', '"features": expected a list of values or {"values"'),
        (
            '{"features": {"values": [1, 2, 3], "shape": [2]}}',
            '"shape": expected 3 values, got [2]',
        ),
        ('{"features": {"keys": [0], "values": [1], "shape": [9]}}', '"shape": expected 3 values'),
        (
            '{"features": {"keys": [3], "values": [1]}}',
            '"keys": expected integers from 0 to 2, got 3',
        ),
        ('{"features": {"keys": [-1], "values": [1]}}', "integers from 0 to 2, got -1"),
        ('{"features": {"keys": [true], "values": [1]}}', "integers from 0 to 2, got true"),
        ('{"features": {"keys": [1, 1], "values": [1, 2]}}', '"keys": duplicate key'),
        ('{"features": {"keys": [1], "values": [1, 2]}}', "got 1 key and 2 values"),
        ('{"features": {"a": 1, "b": 2, "c": 3}}', "; send only that object"),
        ('{"features": "1,2,3"}', "; write a row as a list, such as [1, 2], or send CSV"),
        ('{"data": {"values": [1, 2, 3]}}', 'got the key "values" in "data"'),
        ('{"values": [1, 2, 3]}', '; put the object in "features"'),
        ('{"b64": "MSwyLDM="}', "; send the values"),
        (
            '{"features": {"values": [1, "2", 3]}}',
            'column "b": expected a number, got the string "2"',
        ),
    ],
)
def test_shapes_next_to_those_of_aws(named: Server, record: str, message: str) -> None:
    """3.17: a record that differs from the shapes in AWS's guide is a 400 with what to change."""
    for body, media_type in (
        (record, "application/json"),
        (f'{{"instances": [{record}]}}', "application/json"),
        (record, "application/jsonlines"),
    ):
        response = named.post(body, media_type)

        assert response.status_code == 400
        assert message in error_of(response)


EXPECTED = 'expected {"instances": [row, ...]}, got '
FRAME = pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=["a", "b", "c"])


def frame_json(orient: Literal["split", "columns", "index", "table"]) -> Any:
    """Return the value that pandas writes as JSON in this orient."""
    file = io.StringIO()
    FRAME.to_json(file, orient=orient)
    return json.loads(file.getvalue())


@pytest.mark.parametrize(
    ("document", "message", "message_without_names"),
    [
        (
            {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]},
            f'{EXPECTED}the JSON of KServe V2; send the "data" of each row as a list',
            None,
        ),
        ({"data": [[1, 2, 3]]}, 'expected the rows in "instances", got them in "data"', None),
        ({"inputs": [[1, 2, 3]]}, 'expected the rows in "instances", got them in "inputs"', None),
        ({"input": [1, 2, 3]}, 'the values of a row in "features", got them in "input"', None),
        (
            {"signature_name": "serving_default", "inputs": [[1, 2, 3]]},
            'got them in "inputs"; remove all other keys',
            None,
        ),
        (
            {"signature_name": "serving_default", "instances": [[1, 2, 3]]},
            'got "signature_name", "instances"; remove all other keys',
            None,
        ),
        ({"instances": [[1, 2, 3]], "parameters": {}}, "; remove all other keys", None),
        ({"instances": [[1, 2, 3]], "base_margin": [1]}, "; base_margin is not supported", None),
        (
            {"instances": [[1, 2, 3]], "columns": ["a", "b", "c"]},
            '; rename "columns" to "feature_names"',
            "; remove all other keys",
        ),
        (
            {"dataframe_split": {"columns": ["a", "b", "c"], "data": [[1, 2, 3]]}},
            'send its "data" as "instances" and its "columns" as "feature_names"',
            'got MLflow\'s "dataframe_split"; send its "data" as "instances"',
        ),
        ({"dataframe_records": [{"a": 1}]}, 'got them in "dataframe_records"', None),
        ({"data": {"ndarray": [[1, 2, 3]]}}, f"{EXPECTED}the JSON of Seldon", None),
        (
            frame_json("split"),
            'rename "data" to "instances" and "columns" to "feature_names", and remove "index"',
            'rename "data" to "instances" and remove "columns" and "index"',
        ),
        (
            frame_json("columns"),
            'got one object per column; with pandas, use to_json(orient="records")',
            'use to_json(orient="values")',
        ),
        (
            frame_json("index"),
            f'{EXPECTED}the JSON of to_json(); use to_json(orient="records")',
            'use to_json(orient="values")',
        ),
        (
            frame_json("table"),
            'to_json(orient="table"); use to_json(orient="records")',
            'use to_json(orient="values")',
        ),
        (
            FRAME.to_dict("list"),
            "got one list per column",
            "got one list per column; send one list per row",
        ),
        (FRAME.to_json(orient="records"), "this is JSON in a string: encode it only once", None),
        ("1,2,3", "or send CSV with Content-Type: text/csv", None),
        (3, "; write a row as a list, such as [1, 2]", None),
        ({"instances": "1,2,3"}, '"instances": expected a list of rows, got "1,2,3"; write', None),
        ({"instances": "[[1, 2, 3]]"}, "; this is JSON in a string: encode it only once", None),
        ({"instances": {"a": 1}}, "; put the object in brackets", None),
        ({"instances": 3}, '"instances": expected a list of rows, got 3', None),
        ({"instances": [1, 2, 3]}, "got 1; write a row as a list, such as [1, 2]", None),
        ({"instances": ["1,2,3"]}, '"1,2,3"; write a row as a list', None),
        ({"instance": [[1, 2, 3]]}, 'expected the key "instances", got "instance"', None),
        ({"Instances": [[1, 2, 3]]}, 'expected the key "instances", got "Instances"', None),
        ([[[1, 2, 3]]], "row 1: expected a list of values, got [[1, 2, 3]]; remove one pair", None),
        ([[[1, 2, 3], [4, 5, 6]]], "; send each of its values as a row", None),
        ({"body": "[[1, 2, 3]]"}, 'the event of an API Gateway; send only its "body"', None),
        ({"payload": "[[1, 2, 3]]"}, 'JSON in the string "payload"; send only that JSON', None),
        (
            {"input": {"a": 1, "b": 2, "c": 3}},
            'an object in "input"; send only that object',
            'got only the key "input"; send each row as a list of values',
        ),
        ({"request": {"instances": [[1, 2, 3]]}}, 'an object in "request"; send only', None),
        ({"predictions": [{"score": 1}]}, 'got "predictions", which is a response', None),
        (
            [["a", "b", "c"], [1, 2, 3]],
            '; remove the header, or send it as "feature_names"',
            'column 1: expected a number, got the string "a"',
        ),
    ],
)
def test_documents_of_other_services(
    named: Server,
    unnamed: Server,
    document: object,
    message: str,
    message_without_names: str | None,
) -> None:
    """The JSON of other services and libraries is a 400 with its name and what to change.

    "feature_names" is suggested only if the model has names.
    """
    body = json.dumps(document)

    assert message in error_of(named.post(body, "application/json"))
    without_names = error_of(unnamed.post(body, "application/json"))
    assert (message_without_names or message) in without_names
    assert "feature_names" not in without_names.replace('"instances" and "feature_names", each', "")


def test_column_names_that_are_keys_of_documents(models: Path) -> None:
    """A model's own names come first, even if they are keys of a document."""
    names = ["data", "features", "instances", "values"]
    features = random_features(300, len(names), seed=1)
    booster = train(features, names=names)
    record = {"values": 4, "instances": 3, "features": 2, "data": 1}
    expected = predict_with_xgboost(booster, matrix([1, 2, 3, 4]))

    with running(save_artifact(booster, models / "json-keys")) as server:
        for document in (record, [record], {"instances": [record]}, [1, 2, 3, 4]):
            body = json.dumps(document)
            np.testing.assert_array_equal(scores(server.post(body, "application/json")), expected)
        for line in (record, {"features": [1, 2, 3, 4]}):
            body = json.dumps(line)
            np.testing.assert_array_equal(
                scores(server.post(body, "application/jsonlines")), expected
            )
        tensor = json.dumps({"data": {"features": {"values": [1, 2, 3, 4]}}})
        np.testing.assert_array_equal(scores(server.post(tensor, "application/json")), expected)
        missing = error_of(server.post('{"data": 1, "features": 2}', "application/json"))
        assert 'row 1: missing columns "instances", "values"' in missing


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1,2,3\n4,5,6\n", "; this is CSV: send Content-Type: text/csv"),
        ("a,b,c\n1,2,3\n", "; this is CSV: send Content-Type: text/csv"),
        ("1 0:2 1:3", "; this is libsvm: send Content-Type: text/libsvm"),
        (base64.b64encode(b"[[1, 2, 3]]"), "; this is base64: send the decoded bytes"),
        ("{'a': 1, 'b': 2, 'c': 3}", "; this is a Python object as text: write it with json.dumps"),
        ("(1, 2, 3)", "; this is a Python object as text: write it with json.dumps"),
        ("array([1, 2, 3])", "; this is a Python object as text: write it with json.dumps"),
        ("b'[1, 2, 3]'", "; this is a Python object as text: write it with json.dumps"),
        ("[1, 2, None]", "; write None as null, or use json.dumps"),
        ("[1, 2, True]", "; write True as true, or use json.dumps"),
        ("[1, 2, nan]", "; write a missing value as null"),
        ("[1, 2, inf]", "; send a finite number"),
        (gzip.compress(b"[1, 2, 3]", mtime=0), "got gzip; send Content-Encoding: gzip"),
        (
            "[1, 2, 3]".encode("utf-16"),
            "; encode the text as UTF-8, or declare charset=utf-16",
        ),
        (
            "[1, 2, 3]".encode("utf-16-le"),
            "; encode the text as UTF-8, or declare charset=utf-16",
        ),
        (b"[1, 2, 3]\0", "got a NUL byte at byte 10; remove it"),
        ('["\xe9"]'.encode("latin-1"), "got byte 0xe9 at byte 3; encode the text as UTF-8"),
        (npy(np.zeros((1, 3))), "got an npy array; send Content-Type: application/x-npy"),
        ("[1, 2, 3,]", "; remove the trailing comma"),
        ("{a: 1, b: 2, c: 3}", "; write names in double quotes; the shell may have removed them"),
        ("'[1, 2, 3]'", "; remove the quotes around the payload"),
        ("{\u201ca\u201d: 1}".encode(), '; use straight double quotes (")'),
        ("[1, 2, 3][4, 5, 6]", "; send several records as one list, or one per line as"),
        ("[1, 2, 3]\r[4, 5, 6]", "; send several records as one list, or one per line as"),
        ("[[1, 2, 3]", "; the text ends too early"),
        ("[1, .5, 3]", "; write numbers as in 1, -0.5 or 1e5"),
        ("a=1&b=2&c=3", "; this is form data: send JSON as the body"),
        ("<html></html>", "; this is HTML or XML"),
    ],
)
def test_other_formats_sent_as_json(named: Server, body: str | bytes, message: str) -> None:
    """A payload in another format, sent as JSON, is a 400 that names the format."""
    response = named.post(body, "application/json")

    assert response.status_code == 400
    assert error_of(response).startswith("invalid JSON: ")
    assert message in error_of(response)


def test_numbers_round_like_float64_text_in_every_path(named: Server) -> None:
    """Each number is float32(float64(text)), whether or not a row next to it is unusual."""
    random = np.random.default_rng(5)
    texts = [
        *map(repr, (random.normal(size=60) * 10.0 ** random.integers(-40, 38, 60)).tolist()),
        *(f"{value:.40f}" for value in random.normal(size=60)),
        *(str(2**exponent + offset) for exponent in (24, 53, 64, 90) for offset in (-1, 1, 3)),
        "16777217", "9007199254740993", "0.1", "-0.0", "-0", "1e-400", "1E5", "3.4028235e38",
        "1.00000005960464477539062", "1.0000000596046447753906251", "7.006492321624085e-46",
    ]  # fmt: skip
    texts += texts[: -len(texts) % 3]
    rows = [texts[start : start + 3] for start in range(0, len(texts), 3)]
    with np.errstate(under="ignore"):
        expected = predict_with_xgboost(NAMED, np.array(rows, np.float64).astype(np.float32))
    lists = [f"[{', '.join(row)}]" for row in rows]
    objects = ['{{"a": {}, "b": {}, "c": {}}}'.format(*row) for row in rows]
    tensors = [f'{{"data": {{"features": {{"values": {row}}}}}}}' for row in lists]

    for records, odd in ((lists, "[NaN, null, 3]"), (objects, '{"c": 3, "a": NaN, "b": null}')):
        for between in ("", odd):
            sent = [*records, *([between] if between else [])]
            for body, media_type in (
                (f"[{','.join(sent)}]", "application/json"),
                ("\n".join(sent), "application/jsonlines"),
            ):
                got = scores(named.post(body, media_type))
                np.testing.assert_array_equal(got[: len(rows)], expected)
                assert len(got) == len(sent)
    np.testing.assert_array_equal(
        scores(named.post("\n".join(tensors), "application/jsonlines")), expected
    )


def test_names_are_rejected_by_a_model_without_names(unnamed: Server) -> None:
    """A model without column names rejects names, and accepts lists."""
    for body in (
        '{"a": 1, "b": 2, "c": 3}',
        '{"instances": [[1, 2, 3]], "feature_names": ["a", "b", "c"]}',
    ):
        response = unnamed.post(body, "application/json")

        assert response.status_code == 400
        assert "the model has no column names" in error_of(response)
    np.testing.assert_array_equal(
        scores(unnamed.post("[1, 2, 3]", "application/json")),
        predict_with_xgboost(UNNAMED, matrix([1, 2, 3])),
    )


def test_long_documents_are_split_only_between_rows(named: Server) -> None:
    """Splitting a long document before parsing changes neither predictions nor errors."""
    rows = random_features(60_000, 3, seed=8, missing=0)
    lists = [[float(value) for value in row] for row in rows]
    expected = predict_with_xgboost(NAMED, rows)
    swapped = [[c, a, b] for a, b, c in lists]
    objects = [{"a": a, "b": b, "c": c} for a, b, c in lists]

    for document in (
        [{"data": {"features": {"values": row}}} for row in lists],
        {"instances": swapped, "feature_names": ["c", "a", "b"]},
        {"feature_names": ["c", "a", "b"], "instances": swapped},
        {"instances": [{"features": row} for row in lists]},
        objects,
    ):
        np.testing.assert_array_equal(
            scores(named.post(json.dumps(document), "application/json")), expected
        )
    for broken in ('], "x": [[1, 2, 3]]}', "], [1, 2, 3]}", ", [1, 2, 3]]", ", ]}"):
        response = named.post(json.dumps({"instances": lists})[:-2] + broken, "application/json")

        assert response.status_code == 400
    misleading = json.dumps([*objects, {"a": 1, "b": "}, {", "c": 3}])
    assert (
        f'row {len(objects) + 1}, column "b": expected a number, got the string "}}, {{"'
        in error_of(named.post(misleading, "application/json"))
    )
