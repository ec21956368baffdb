"""text/csv: headers, delimiters, missing values, and errors that name the row and the column."""

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
SINGLE_COLUMN = train(random_features(300, 1, seed=2))
UNKNOWN_COLUMN_ADVICE = (
    'remove unknown columns, such as the label, or list them as "ignore" in schema.json'
)


@pytest.fixture(scope="module")
def named(models: Path) -> Iterator[Server]:
    with running(save_artifact(NAMED, models / "csv-named")) as server:
        yield server


@pytest.fixture(scope="module")
def unnamed(models: Path) -> Iterator[Server]:
    with running(save_artifact(UNNAMED, models / "csv-nameless")) as server:
        yield server


@pytest.fixture(scope="module")
def single_column(models: Path) -> Iterator[Server]:
    with running(save_artifact(SINGLE_COLUMN, models / "csv-one")) as server:
        yield server


def matrix(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


NAN = float("nan")


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("1,2,3", [[1, 2, 3]]),
        ("1,2,3\n", [[1, 2, 3]]),
        ("1,2,3\r\n4,5,6\r\n", [[1, 2, 3], [4, 5, 6]]),
        ("1,2,3\n\n\r\n \n", [[1, 2, 3]]),
        ("\ufeff1,2,3\n", [[1, 2, 3]]),
        ("\ufeffc,b,a\n1,2,3\n", [[3, 2, 1]]),
        ('"1","2","3"\n', [[1, 2, 3]]),
        (' 1 ,\t2, 3 \n"1\n",2,3', [[1, 2, 3], [1, 2, 3]]),
        (",2,\n", [[NAN, 2, NAN]]),
        (",,\n1,2,3", [[NAN, NAN, NAN], [1, 2, 3]]),
        ('1,"",  \n', [[1, NAN, NAN]]),
        ("nan,NaN,NAN\n-nan,+Nan, nAn ", [[NAN] * 3, [NAN] * 3]),
        ("+1,.5,007\n1.,1e3,-0", [[1, 0.5, 7], [1, 1000, 0]]),
        ("1E-400,16777217,0.1", [[0, 16777217, 0.1]]),
        ("a,b,c\n1,2,3", [[1, 2, 3]]),
        ("b,c,a\r\n1,2,3\r\n", [[3, 1, 2]]),
        ('"c", a ,"b"\n1,2,3', [[2, 3, 1]]),
        ("1,2,3\r4,5,6\r", [[1, 2, 3], [4, 5, 6]]),
        ("a,c,b\r1,2,3\r", [[1, 3, 2]]),
    ],
)
def test_accepted_spellings(named: Server, body: str, rows: list[list[float]]) -> None:
    """3.16, 3.18 and 5.7: common line endings, quotes, spaces, empty cells and headers work."""
    response = named.post(body.encode())

    np.testing.assert_array_equal(scores(response), predict_with_xgboost(NAMED, matrix(*rows)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1,2", 'row 1: expected 3 columns, got 2; the columns are "a", "b", "c"'),
        ("1,2,3\n1,2,3,4", 'row 2: expected 3 columns, got 4; the columns are "a", "b", "c"'),
        (
            "1,2,3\n\n4,5,6",
            "row 2: expected a record, got a blank line; only trailing blank lines are ignored",
        ),
        (
            "\n1,2,3",
            "row 1: expected a record, got a blank line; only trailing blank lines are ignored",
        ),
        ("1,2,3\n1,x,3", 'row 2, column "b": expected a number, got "x"'),
        ("1,2,3\n1,NA,3", 'row 2, column "b": expected a number, got "NA"'),
        ("1,1_000,3", 'row 1, column "b": expected a number, got "1_000"'),
        ("1,\u0661,3", 'row 1, column "b": expected a number, got "\u0661"'),
        ("1,0x10,3", 'row 1, column "b": expected a number, got "0x10"'),
        ("1,true,3", 'row 1, column "b": expected a number, got "true"'),
        ("1,null,3", 'row 1, column "b": expected a number, got "null"'),
        ("1,[2],3", 'row 1, column "b": expected a number, got "[2]"'),
        ("1,2],[3", 'row 1, column "b": expected a number, got "2]"'),
        ("1,2,3],[4,5,6", "row 1: expected 3 columns, got 6"),
        ("1,inf,3", 'row 1, column "b": expected a number within float32 range, got "inf"'),
        (
            "1,-Infinity,3",
            'row 1, column "b": expected a number within float32 range, got "-Infinity"',
        ),
        ("1e39,,2", 'row 1, column "a": expected a number within float32 range, got "1e39"'),
        ("1,2,3.5e38", 'row 1, column "c": expected a number within float32 range, got "3.5e38"'),
        ("1,2,1e400", 'row 1, column "c": expected a number within float32 range, got "1e400"'),
        (
            "1,2,34,5,67,8,9",
            '"c"; curl -d removes line breaks: use --data-binary instead',
        ),
        (
            "1;2;3",
            (
                'got 1; the columns are "a", "b", "c"; '
                "if the delimiter is not a comma, send "
                'Content-Type: text/csv; delimiter=";"'
            ),
        ),
        ('1,2,"3', "row 1: invalid CSV: unexpected end of data"),
        ('1,2,3\n1,"2"2,3', "row 2: invalid CSV: ',' expected after '\"'"),
        ("a,b,b\n1,2,3", 'row 1 looks like a header: missing column "c"; repeated column "b"'),
        ("price,a,b,c\n1,1,2,3", 'row 1 looks like a header: unknown column "price"'),
        (
            "A,B,C\n1,2,3",
            (
                'row 1, column "a": expected a number, got "A"; '
                "if this line is a header, it must contain exactly the column names"
            ),
        ),
        (
            "[1,2,3]",
            (
                'row 1, column "a": expected a number, got "[1"; '
                "this is JSON: set Content-Type: application/json"
            ),
        ),
        (
            "1,2,None",
            (
                'row 1, column "c": expected a number, got "None"; '
                "leave the cell empty if the value is missing"
            ),
        ),
        ("1\r2,2,3", "row 1: expected 3 columns, got 1"),
    ],
)
def test_invalid_rows(named: Server, body: str, message: str) -> None:
    """3.14 and 5.11: an invalid row is a 400 with row, column, and expected and actual value."""
    response = named.post(body.encode())

    assert response.status_code == 400
    assert message in error_of(response)


@pytest.mark.parametrize(
    ("first_line", "message"),
    [
        ("a,b", 'header: missing column "c"'),
        ("a,b,c,d", f'header: unknown column "d"; {UNKNOWN_COLUMN_ADVICE}'),
        (",a,b,c", 'header: unknown column ""; write the file with to_csv(index=False)'),
        (
            "Unnamed: 0,a,b,c",
            'header: unknown column "Unnamed: 0"; write the file with to_csv(index=False)',
        ),
        ("a,b,B", 'header: missing column "c"; unknown column "B"'),
        ("a,b,C", 'header: missing column "c"; unknown column "C"; did you mean "c"?'),
        ("a,a,b,c", 'header: repeated column "a"'),
        (
            "1,2,3",
            (
                'header: missing columns "a", "b", "c"; unknown columns "1", "2", "3"; '
                "if the first line is a record, send Content-Type: text/csv; header=absent"
            ),
        ),
        (
            "a;b;c",
            (
                'header: missing columns "a", "b", "c"; unknown column "a;b;c"; '
                'if the delimiter is not a comma, send Content-Type: text/csv; delimiter=";"'
            ),
        ),
        ("", 'header: missing columns "a", "b", "c"'),
        (
            '"a,b,c',
            (
                "row 1: invalid CSV: unexpected end of data; "
                "a cell begins with a quote and has no closing quote"
            ),
        ),
    ],
)
def test_declared_header_must_match(named: Server, first_line: str, message: str) -> None:
    """3.6: a declared header must match; missing, unknown and repeated names are reported."""
    response = named.post(f"{first_line}\n1,2,3\n", "text/csv; header=present")

    assert response.status_code == 400
    assert error_of(response) == message


def test_header_absent_makes_the_first_line_a_record(named: Server) -> None:
    """3.6: with header=absent, the first line is always a record."""
    response = named.post("a,b,c\n1,2,3", "text/csv; header=absent")

    assert response.status_code == 400
    assert 'row 1, column "a": expected a number, got "a"' in error_of(response)
    np.testing.assert_array_equal(
        scores(named.post("1,2,3", 'text/csv; HEADER="Absent"')),
        predict_with_xgboost(NAMED, matrix([1, 2, 3])),
    )


def test_other_header_values_are_rejected(named: Server) -> None:
    """3.6: a header parameter other than present and absent is a 400."""
    response = named.post("a,b,c\n1,2,3", "text/csv; header=maybe")

    assert response.status_code == 400
    assert "expected header=present or header=absent" in error_of(response)


def test_rows_after_a_header_count_from_one(named: Server) -> None:
    """Row numbers in messages do not count the header."""
    assert 'row 2, column "a"' in error_of(named.post("c,b,a\n1,2,3\n1,2,x"))


def test_header_is_rejected_by_a_model_without_names(unnamed: Server) -> None:
    """A model without column names rejects a header, declared or not."""
    declared, undeclared = (
        unnamed.post("a,b,c\n1,2,3", "text/csv; header=present"),
        unnamed.post("a,b,c\n1,2,3"),
    )

    assert declared.status_code == undeclared.status_code == 400
    assert "the model has no column names" in error_of(declared)
    assert error_of(undeclared).startswith(
        'row 1, column 1: expected a number, got "a"; if this line is a header, remove it'
    )


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("1\n2\n", [[1], [2]]),
        ("1\n\n2\n", [[1], [NAN], [2]]),
        ("1\n\n", [[1], [NAN]]),
        ("\n", [[NAN]]),
        ("\n1", [[NAN], [1]]),
        ("1\r\n\r\n\r\n", [[1], [NAN], [NAN]]),
        ('""\n1', [[NAN], [1]]),
        (" \n1", [[NAN], [1]]),
        ("1\r\r", [[1], [NAN]]),
        ("1\r\r\n2\r\r\n", [[1], [NAN], [2], [NAN]]),
    ],
)
def test_with_one_feature_every_line_is_a_record(
    single_column: Server, body: str, rows: list[list[float]]
) -> None:
    """5.7 and 5.9: with one column, a blank line is a missing value and never dropped."""
    np.testing.assert_array_equal(
        scores(single_column.post(body)), predict_with_xgboost(SINGLE_COLUMN, matrix(*rows))
    )


def test_other_encodings_are_rejected(named: Server) -> None:
    """A payload that is not UTF-8 is a 400 that names the row and the byte."""
    assert (
        error_of(named.post("1,2,3\n1,2,é".encode("latin-1")))
        == "row 2: expected UTF-8, got byte 0xe9; "
        "encode the text as UTF-8, or declare its encoding, such as charset=iso-8859-1"
    )
    assert named.post("1,2,3".encode("utf-16")).status_code == 400


def test_oversized_cell_is_rejected(named: Server) -> None:
    """A cell beyond the CSV parser's limit is a 400 with a short message."""
    assert named.post("1,2," + "3" * 200_000).status_code == 400
    assert named.post('1,2,"' + "3" * 200_000 + '"').status_code == 400


@pytest.mark.parametrize(
    ("parameter", "delimiter"),
    [
        ('delimiter=";"', ";"),
        ("delimiter=semicolon", ";"),
        ("delimiter=tab", "\t"),
        ("delimiter=TAB", "\t"),
        ('delimiter="\t"', "\t"),
        (r'delimiter="\t"', "\t"),
        (r'delimiter="\\t"', "\t"),
        ("delimiter=|", "|"),
        ("delimiter=pipe", "|"),
        ('delimiter=" "', " "),
        ("delimiter=space", " "),
        ('delimiter=":"', ":"),
        ("delimiter=^", "^"),
        ('delimiter=","', ","),
        ("delimiter=comma", ","),
        ('Delimiter = ";"', ";"),
    ],
)
def test_delimiters(named: Server, parameter: str, delimiter: str) -> None:
    """3.18: the delimiter parameter works with headers, quotes and empty cells like a comma."""
    for body, rows in (
        ("1,2,3\n4,5,6\n", [[1, 2, 3], [4, 5, 6]]),
        ("c,a,b\r\n1,2,\r\n4,,6", [[2, NAN, 1], [NAN, 6, 4]]),
        ('"1","2","3"\n\n', [[1, 2, 3]]),
        ("\ufeff1,nan,3", [[1, NAN, 3]]),
    ):
        response = named.post(body.replace(",", delimiter).encode(), f"text/csv; {parameter}")

        np.testing.assert_array_equal(scores(response), predict_with_xgboost(NAMED, matrix(*rows)))


def test_commas_in_cells_with_another_delimiter(named: Server) -> None:
    """With another delimiter, a comma is part of the cell."""
    response = named.post("1;2,5;3", 'text/csv; delimiter=";"')

    assert error_of(response) == (
        'row 1, column "b": expected a number, got "2,5"; write a decimal point, not a comma'
    )
    assert "expected 3 columns, got 1" in error_of(named.post("1,2,3", 'text/csv; delimiter=";"'))
    assert "line 2: invalid CSV" in error_of(named.post('1;2;3\n1;2;"3', 'text/csv; delimiter=";"'))


def test_quoted_carriage_returns_with_another_delimiter(single_column: Server) -> None:
    """A carriage return in quotes does not end a line, whatever the delimiter."""
    for parameter in ("", "; delimiter=semicolon"):
        response = single_column.post('"\r1\r"\n2\n', f"text/csv{parameter}")

        np.testing.assert_array_equal(
            scores(response), predict_with_xgboost(SINGLE_COLUMN, matrix([1], [2]))
        )


def test_blank_lines_with_a_delimiter_and_one_column(single_column: Server) -> None:
    """With one column, a blank line is a record, whatever the delimiter."""
    response = single_column.post('1\n\n"2"\n""\n', "text/csv; delimiter=tab")

    np.testing.assert_array_equal(
        scores(response), predict_with_xgboost(SINGLE_COLUMN, matrix([1], [NAN], [2], [NAN]))
    )


@pytest.mark.parametrize("body", [" \n", "\t", " ", "\n", "1\n \n", " \n1\n", "1\n\t"])
def test_blanks_are_a_missing_value_of_one_column(single_column: Server, body: str) -> None:
    """With one column, a line of whitespace is a record with a missing value."""
    rows = [[float(line) if line.strip() else NAN] for line in body.removesuffix("\n").split("\n")]

    np.testing.assert_array_equal(
        scores(single_column.post(body)), predict_with_xgboost(SINGLE_COLUMN, matrix(*rows))
    )


@pytest.mark.parametrize(
    "parameter",
    [
        "delimiter=;",
        "delimiter=",
        'delimiter=""',
        "delimiter=x",
        "delimiter=5",
        "delimiter=.",
        'delimiter="-"',
        "delimiter=+",
        "delimiter=_",
        'delimiter=";;"',
        "delimiter=semi",
        r'delimiter="\""',
        "delimiter=%09",
    ],
)
def test_invalid_delimiters(named: Server, parameter: str) -> None:
    """3.6: a delimiter that is not one character, or may be part of a number, is a 415."""
    response = named.post("1;2;3", f"text/csv; {parameter}")

    assert response.status_code == 415
    assert 'expected a quoted character, such as delimiter=";"' in error_of(response)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiters_are_never_guessed(named: Server, delimiter: str) -> None:
    """3.18: without the parameter, only commas separate columns; the error names the parameter."""
    response = named.post(delimiter.join("123"))

    assert response.status_code == 400
    hint = "if the delimiter is not a comma, send Content-Type: text/csv; delimiter="
    assert hint in error_of(response)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/csv; label_size=1",
        "text/csv;label_size = 1",
        "text/csv;label_size=0",
        "csv; label_size=1; charset=utf-8",
        "csv",
    ],
)
def test_label_sizes_have_no_effect(named: Server, content_type: str) -> None:
    """3.6: label_size=0 and label_size=1 are accepted, and no column is a label."""
    np.testing.assert_array_equal(
        scores(named.post("1,2,3\n", content_type)), predict_with_xgboost(NAMED, matrix([1, 2, 3]))
    )
    assert named.post("9,1,2,3\n", content_type).status_code == 400


@pytest.mark.parametrize("value", ["2", "00", "5", "-1", "x", '""', ""])
def test_other_label_sizes_are_415(named: Server, value: str) -> None:
    """3.6: any other label_size is a 415, as in AWS's image."""
    response = named.post("1,2,3\n", f"text/csv; label_size={value}")

    assert response.status_code == 415
    assert "expected label_size=0 or label_size=1" in error_of(response)


def test_row_errors_are_limited(models: Path) -> None:
    """More than 100,000 bad lines reject the payload, because each takes time to explain."""
    with running(save_artifact(NAMED, models / "csv-errors"), SERVE_ROW_ERRORS="true") as server:
        response = server.post(b"x\n" * 20_000_000)

    assert response.status_code == 400
    assert response.json()["error"] == "TooManyErrors"
    assert "more than 100,000 records are invalid" in error_of(response)
