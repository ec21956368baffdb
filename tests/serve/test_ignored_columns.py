"""Columns that callers send by name and the server drops on purpose: ``ignore``."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.check import check
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server, running

ROWS = 60
RANDOM = np.random.default_rng(0)
CITIES = ["Rome", "Oslo", "Bonn"]
FRAME = pd.DataFrame(
    {
        "a": RANDOM.normal(size=ROWS).round(3),
        "city": pd.Categorical(RANDOM.choice(CITIES, ROWS), categories=CITIES),
        "c": RANDOM.normal(size=ROWS).round(3),
    }
)
BOOSTER = train(FRAME, FRAME["a"] + FRAME["city"].cat.codes)
EXPECTED = predict_with_xgboost(BOOSTER, FRAME)
NUMBERS = FRAME[["a", "c"]]
NUMERIC = train(NUMBERS, NUMBERS["a"])
# Texts that are not numbers, or that must be quoted, and numbers that no float32 can hold.
COMMENTS = ["", "x, y", 'say "no"', "NA", "1e999", "ü"] * (ROWS // 6)
SENT = FRAME.assign(id=np.arange(ROWS), comment=COMMENTS)[["id", "a", "comment", "c", "city"]]
PLAIN = SENT.assign(comment=[f"note {row}" for row in range(ROWS)])
HEADER = "text/csv; header=present"


@pytest.fixture(scope="module")
def declared(models: Path) -> Iterator[Server]:
    """Return a server whose schema.json lists the ignored columns."""
    folder = save_artifact(BOOSTER, models / "ignoring")
    (folder / "schema.json").write_text(json.dumps({"ignore": ["id", "comment"]}))
    with running(folder) as server:
        yield server


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    with running(save_artifact(BOOSTER, models / "not-ignoring")) as running_server:
        yield running_server


def to_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


@pytest.mark.parametrize("frame", [SENT, PLAIN, PLAIN.iloc[:, ::-1], FRAME], ids=range(4))
@pytest.mark.parametrize("content_type", [HEADER, "text/csv"])
def test_csv(declared: Server, frame: pd.DataFrame, content_type: str) -> None:
    """Columns in "ignore" may come in any place, quoted or not, or be absent."""
    response = declared.post(to_csv(frame), content_type)

    np.testing.assert_array_equal(scores(response), EXPECTED)


@pytest.mark.parametrize(
    ("content_type", "frame"),
    [
        (f"{HEADER}; ignore=id+comment", SENT),
        (f'{HEADER}; ignore="comment, id"', PLAIN),
        (f"{HEADER}; ignore=id+comment+absent", FRAME),
        (f"{HEADER}; delimiter=semicolon; ignore=id+comment", SENT),
    ],
)
def test_parameter(server: Server, content_type: str, frame: pd.DataFrame) -> None:
    """3.6: ignore= names the columns of one request that are dropped."""
    separator = ";" if "semicolon" in content_type else ","
    body = frame.to_csv(index=False, sep=separator).encode()

    np.testing.assert_array_equal(scores(server.post(body, content_type)), EXPECTED)


def test_parameter_and_schema_file_add_up(declared: Server) -> None:
    """ignore= adds to the columns of schema.json."""
    body = to_csv(SENT.assign(label=1))

    np.testing.assert_array_equal(scores(declared.post(body, f"{HEADER}; ignore=label")), EXPECTED)
    assert 'unknown column "label"' in error_of(declared.post(body, HEADER))


def test_json(declared: Server) -> None:
    """JSON and JSON Lines drop the same columns, in objects and below "feature_names"."""
    records = json.loads(SENT.to_json(orient="records"))
    lists = [list(record.values()) for record in records]
    document = {"instances": lists, "feature_names": list(SENT)}
    some = [
        record if row % 2 else {key: record[key] for key in FRAME}
        for row, record in enumerate(records)
    ]
    features = [
        {"id": row, "features": list(record)}
        for row, record in enumerate(FRAME.to_numpy().tolist())
    ]
    lines = "\n".join(map(json.dumps, records))

    for body in (records, {"instances": records}, document, some, features):
        response = declared.post(json.dumps(body), "application/json")
        np.testing.assert_array_equal(scores(response), EXPECTED)
    np.testing.assert_array_equal(scores(declared.post(lines, "application/jsonlines")), EXPECTED)
    single = declared.post(
        json.dumps({"id": 7, "features": lists[0][1:2] + lists[0][4:] + lists[0][3:4]}),
        "application/json",
    )
    np.testing.assert_array_equal(scores(single), EXPECTED[:1])


def test_large_payloads(models: Path) -> None:
    """5.9: Slices of a large payload keep the order of the rows, whatever their ignored cells."""
    folder = save_artifact(NUMERIC, models / "ignoring-many")
    (folder / "schema.json").write_text(json.dumps({"ignore": ["id"]}))
    repeats = 2000
    frame = pd.concat([NUMBERS] * repeats, ignore_index=True)
    frame.insert(1, "id", [f"row {row}" for row in range(len(frame))])
    frame.loc[5000, "id"] = "a, b"
    with running(folder) as server:
        response = server.post(to_csv(frame), HEADER)

    np.testing.assert_array_equal(
        scores(response), np.tile(predict_with_xgboost(NUMERIC, NUMBERS), repeats)
    )


def test_row_errors(models: Path) -> None:
    """5.9: Bad rows are reported in their places, also if columns are ignored."""
    folder = save_artifact(NUMERIC, models / "ignoring-errors")
    lines = ["id,a,c", "x,1,2", "y,1", "z,1,oops", "w,3,4"]
    with running(folder, SERVE_ROW_ERRORS="true") as server:
        text = server.post("\n".join(lines), f"{HEADER}; ignore=id").text
        rows = server.post(
            "\n".join(lines), f"{HEADER}; ignore=id", Accept="application/jsonlines"
        ).text
    good = predict_with_xgboost(NUMERIC, pd.DataFrame({"a": [1.0, 3.0], "c": [2.0, 4.0]}))

    assert text.splitlines() == [str(good[0]), "ERROR", "ERROR", str(good[1])]
    errors = [strict(line).get("error") for line in rows.splitlines()]
    assert errors[1] == 'row 2: expected 3 columns, got 2; the columns are "id", "a", "c"'
    assert 'row 3, column "c": expected a number, got "oops"' in errors[2]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        ("1,2,Rome,4\n", "text/csv", 400, "expected 3 columns, got 4"),
        ("id,a,city,c,d\n1,2,Rome,4,5\n", HEADER, 400, 'header: unknown column "d"'),
        ("id,a,city\n1,2,Rome\n", HEADER, 400, 'header: missing column "c"'),
        ("ID,a,city,c\n1,2,Rome,4\n", HEADER, 400, 'unknown column "ID"'),
        ("id,a,city,c\n1,2,Rome\n", HEADER, 400, "row 1: expected 4 columns, got 3"),
        ("id,a,city,c\n1,2,Rome,4,5\n", HEADER, 400, "row 1: expected 4 columns, got 5"),
        ("id,a,city,c\n1,x,Rome,4\n", HEADER, 400, 'row 1, column "a": expected a number'),
        ("a,city,c\n1,Rome,2\n", f"{HEADER}; ignore=a", 400, "ignore=a: the model needs this"),
        ("a,city,c\n1,Rome,2\n", "text/csv; ignore=id", 415, "ignore= requires header=present"),
        ("a,city,c\n1,Rome,2\n", f"{HEADER}; ignore=", 415, "ignore= expects column names"),
        ("a,city,c\n1,Rome,2\n", f"{HEADER}; ignored=id", 415, 'did you mean "ignore"?'),
        ("{}", "application/json; ignore=id", 415, '"ignore" belongs to text/csv'),
        ('{"id": 1, "a": 2, "city": "Rome", "c": 1, "d": 2}', "application/json", 400, '"d"'),
    ],
)
def test_everything_else_is_an_error(
    declared: Server, body: str, content_type: str, status: int, message: str
) -> None:
    """3.14: Unknown, missing and needed columns are errors, and so are columns without a name."""
    response = declared.post(body, content_type)

    assert response.status_code == status
    assert message in error_of(response)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"ignore": ["id", "a"]}, '"ignore": "a" is a column of the model'),
        ({"ignore": [" a "]}, '"ignore": "a" is a column of the model'),
        ({"ignore": "id"}, '"ignore": expected a list of unique column names'),
        ({"ignored": ["id"]}, 'did you mean "ignore"?'),
    ],
)
def test_invalid_lists_prevent_startup(tmp_path: Path, schema: Any, message: str) -> None:
    """Ignoring a column that the model needs is an error at startup."""
    folder = save_artifact(BOOSTER, tmp_path)
    (folder / "schema.json").write_text(json.dumps(schema))

    assert message in check(folder).error


def test_a_model_without_names_ignores_nothing(tmp_path: Path) -> None:
    """Columns are ignored by name, so a model without names cannot ignore any."""
    folder = save_artifact(train(NUMBERS.to_numpy()), tmp_path)
    (folder / "schema.json").write_text('{"ignore": ["id"]}')

    assert "the model has no names" in check(folder).error


def test_check_lists_ignored_columns(models: Path, tmp_path: Path) -> None:
    """`check` shows the ignored columns, and accepts a sample that has them."""
    folder = save_artifact(BOOSTER, tmp_path / "model")
    (folder / "schema.json").write_text(json.dumps({"ignore": ["comment", "id"]}))
    sample = tmp_path / "sample.csv"
    sample.write_bytes(to_csv(SENT))
    output = check(folder, sample).output

    assert "ignored columns" in output
    assert '"comment", "id"' in output
    assert str(EXPECTED[0]) in output
    np.testing.assert_array_equal(
        pd.read_csv(io.StringIO(output.rpartition("sample response\n")[2]), header=None)[0].astype(
            "float32"
        ),
        EXPECTED,
    )
