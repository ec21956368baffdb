"""application/json and application/jsonlines: document shapes, and errors that name the row."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
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
            '{"instances": 3}',
            (
                'missing columns "a", "b", "c"; unknown column "instances"; '
                'expected {"feature_names": ['
            ),
        ),
        (
            '{"instances": {"a": 1, "b": 2, "c": 3}}',
            '; expected {"feature_names": [name, ...], "instances": [row, ...]}',
        ),
        (
            '{"columns": ["a", "b", "c"], "index": [0], "data": [[1, 2, 3]]}',
            '"index", "data"; expected {"feature_names"',
        ),
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
        ("[[1, true, 3]]", 'row 1, column "b": expected a number, got true'),
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
        ('{"instances": [[1, 2, 3]]}', 'unknown column "instances"'),
        ("[1, 2, 3] [4, 5, 6]", "row 1: invalid JSON"),
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
        ("\n", []),
    ],
)
def test_json_lines(named: Server, body: str, rows: list[list[float]]) -> None:
    """3.17 and 5.15: one response line per line, without trailing blank lines."""
    response = named.post(body.encode(), "application/jsonlines")

    expected = predict_with_xgboost(NAMED, matrix(*rows)) if rows else np.empty(0)
    assert len(response.text.splitlines()) == len(rows)
    np.testing.assert_array_equal(scores(response), expected)


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
