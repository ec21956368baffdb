"""Errors name what a payload in the wrong format really is, and the one thing to change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.boosters import random_features, save_artifact, train
from tests.support.responses import error_of
from tests.support.server import Server, running

MODEL = train(random_features(300, 3, seed=1), names=["a", "b", "c"])


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[Server]:
    with running(save_artifact(MODEL, models / "diagnosis")) as server:
        yield server


RECORDIO = "application/x-recordio-protobuf"
JSON = "this is JSON: set Content-Type: application/json"
BASE64 = "this is base64: send the decoded bytes"
FORM = "this is form data: send only the lines, as with curl --data-binary"
ARRAY = "this is the text of a NumPy array: send the values separated by commas"
FILE = "this is the name of a file: send the content of the file"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ('{"a": 1, "b": 2, "c": 3}', JSON),
        ('{"a":1,"b":2,"c":3}', JSON),
        ('{\n  "a": 1,\n  "b": 2\n}', JSON),
        ('{"a":"x"y"}', JSON),
        ("[[1,2,3]]", JSON),
        ("[1,2,3]", JSON),
        ("{'a': 1, 'b': 2}", "this is the text of a Python dict: send JSON, as from json.dumps"),
        ("[1. 2. 3.]", ARRAY),
        ("array([1, 2, 3])", ARRAY),
        ("tensor([1., 2.])", ARRAY),
        ("(1, 2, 3)", "this is the text of a Python tuple: remove the parentheses"),
        ("b'1,2,3'", "this is the text of a Python bytes object: send the bytes themselves"),
        ("'1,2,3'", "remove the quotes around the line"),
        ('"1,2,3"', "remove the quotes around the line"),
        ("sep=;\n1;2;3", "remove the line sep=, and send the delimiter in Content-Type"),
        ("0:1 1:2 2:3", "this is libsvm: send it with Content-Type: text/libsvm"),
        ("1 0:1 2:3", "this is libsvm: send it with Content-Type: text/libsvm"),
        ("MSwyLDM=", BASE64),
        ("MSwyLDMK", BASE64),
        ("MSwyLDMKNCw1LDY=", BASE64),
        ("W1sxLDIsM11d", BASE64),
        ("data=1,2,3", FORM),
        ("1%2C2%2C3", FORM),
        ("a=1&b=2&c=3", FORM),
        ("@data.csv", "curl --data-raw does not read files: use --data-binary @FILE"),
        ("data.csv", FILE),
        ("s3://bucket/data.csv", FILE),
        ("<html><body>", "this is HTML or XML: send CSV or JSON"),
        ("# a comment\n1,2,3", "remove the comment line"),
        ("1;2;3", 'if the delimiter is not a comma, send Content-Type: text/csv; delimiter=";"'),
        ("1\t2\t3", "if the delimiter is not a comma, send Content-Type: text/csv; delimiter=tab"),
        ('1,2,"3', "a cell begins with a quote and has no closing quote"),
        ('1,2,3\n1,"2"2,3', "in a cell in quotes, write each quote twice"),
        ("1,2,True", "send 1 or 0 for true or false"),
        ("1,2,#N/A", "leave the cell empty if the value is missing"),
        ("1,2,\\N", "leave the cell empty if the value is missing"),
        ("1,2,$3", "send the number without the currency"),
        ("1,2,3%", "send the number without the percent sign, as in training"),
    ],
)
def test_csv(server: Server, body: str, hint: str) -> None:
    """The error ends with what came and the one thing to change."""
    response = server.post(body)

    assert response.status_code == 400
    assert error_of(response).endswith(f"; {hint}")


@pytest.mark.parametrize("content_type", [None, ""])
def test_json_without_media_type(server: Server, content_type: str | None) -> None:
    """3.1: a payload without Content-Type is CSV, and the error says how to send JSON."""
    response = server.post(b'{"a":1,"b":2,"c":3}', content_type)

    assert response.status_code == 400
    assert error_of(response).endswith(f"; {JSON}")


@pytest.mark.parametrize("media_type", ["text/libsvm", "application/x-npy", RECORDIO])
@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("1,2,3", "this is CSV: send Content-Type: text/csv"),
        ("a,b,c\n1,2,3", "this is CSV: send Content-Type: text/csv"),
        ("1;2;3", "this is CSV: send Content-Type: text/csv"),
        ("[[1,2,3]]", JSON),
        ('{"a":1}', JSON),
        ("MSwyLDM=", BASE64),
        ("PAR1\0", "this is Parquet: send CSV, as from to_csv(index=False)"),
    ],
)
def test_other_format(server: Server, media_type: str, body: str, hint: str) -> None:
    """A payload in another format than its Content-Type is named, whichever codec read it."""
    response = server.post(body, media_type)

    assert response.status_code == 400
    assert error_of(response).endswith(f"; {hint}")


def test_declared_delimiter(server: Server) -> None:
    """3.6: commas are reported if another delimiter is declared."""
    response = server.post("1,2,3\n4,5,6", 'text/csv; delimiter=";"')

    assert response.status_code == 400
    assert error_of(response) == (
        'row 1: expected 3 columns, got 1; the columns are "a", "b", "c"; the cells are separated '
        "by commas, so remove the parameter delimiter from Content-Type"
    )


def test_undeclared_charset(server: Server) -> None:
    """3.16: text that is not UTF-8 is an error that names the parameter for its encoding."""
    response = server.post("1,\xe9,3".encode("latin-1"))

    assert response.status_code == 400
    assert error_of(response).endswith("or declare its encoding, such as charset=iso-8859-1")
