"""text/csv: the first line is a header or a record, and never mistaken for the other."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

# As in CICIDS2017, and two names that are equal without their blanks.
PADDED_NAMES = [" Destination Port", "Flow Duration ", "id", " id"]
PADDED = train(random_features(300, 4, seed=1), names=PADDED_NAMES)
# As pandas names the columns of a matrix.
NUMERIC_NAMES = train(random_features(300, 3, seed=3), names=["0", "1", "2"])
UNNAMED = train(random_features(300, 4, seed=4))
CODES = np.random.default_rng(5).integers(0, 2, (300, 2)).astype(np.float32)
LABELS = train(CODES, names=["color", "hue"], types=["c", "c"])
UNNAMED_LABELS = train(CODES, types=["c", "c"])
CATEGORIES = [{"type": "c", "categories": ["red", "blue"]}] * 2
AMBIGUOUS = "could be a header or a record; send Content-Type: text/csv with header=present or"
AMBIGUOUS_WITHOUT_NAMES = (
    "the first line could be a header or a record; "
    "remove a header, or send Content-Type: text/csv; header=absent for a record"
)
PRESENT, ABSENT = "text/csv; header=present", "text/csv; header=absent"


@pytest.fixture(scope="module")
def padded(models: Path) -> Iterator[Server]:
    with running(save_artifact(PADDED, models / "header-padded")) as server:
        yield server


@pytest.fixture(scope="module")
def numeric_names(models: Path) -> Iterator[Server]:
    with running(save_artifact(NUMERIC_NAMES, models / "header-digits")) as server:
        yield server


@pytest.fixture(scope="module")
def unnamed(models: Path) -> Iterator[Server]:
    with running(save_artifact(UNNAMED, models / "header-unnamed")) as server:
        yield server


@pytest.fixture(scope="module")
def labels(models: Path) -> Iterator[Server]:
    """A model whose columns are all labels, and unknown ones are missing values."""
    folder = save_artifact(LABELS, models / "header-labels")
    names = [{"name": "color"}, {"name": "hue"}]
    features = [{**name, **rest} for name, rest in zip(names, CATEGORIES, strict=True)]
    (folder / "schema.json").write_text(json.dumps({"features": features}))
    with running(folder, SERVE_UNKNOWN_CATEGORY="missing", SERVE_ROW_ERRORS="true") as server:
        yield server


@pytest.fixture(scope="module")
def unnamed_labels(models: Path) -> Iterator[Server]:
    folder = save_artifact(UNNAMED_LABELS, models / "header-unnamed-labels")
    (folder / "schema.json").write_text(json.dumps({"features": CATEGORIES}))
    with running(folder, SERVE_UNKNOWN_CATEGORY="missing") as server:
        yield server


def matrix(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


NAN = float("nan")


@pytest.mark.parametrize(
    "header",
    [
        ",".join(PADDED_NAMES),
        "Destination Port,Flow Duration,id, id",
        "  Destination Port\t, Flow Duration,id, id",
        '" Destination Port","Flow Duration ","id"," id"',
        "\ufeff Destination Port,Flow Duration,id, id",
    ],
)
@pytest.mark.parametrize("content_type", ["text/csv", PRESENT])
def test_names_match_without_outer_blanks(padded: Server, header: str, content_type: str) -> None:
    """3.6: names match exactly or without blanks at both ends, as pandas writes or strips them."""
    response = padded.post(f"{header}\n1,2,3,4\n".encode(), content_type)

    np.testing.assert_array_equal(
        scores(response), predict_with_xgboost(PADDED, matrix([1, 2, 3, 4]))
    )


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [1, 3, 0, 2]])
def test_names_in_json_match_without_outer_blanks(padded: Server, order: list[int]) -> None:
    """Keys and feature_names in JSON match like the names in a CSV header."""
    sent_names = ["Destination Port", "\ufeffFlow Duration", "id", " id"]
    names = [sent_names[index] for index in order]
    row = [float(index + 1) for index in order]
    objects = {"instances": [dict(zip(names, row, strict=True))]}
    lists = {"instances": [row], "feature_names": names}
    expected = predict_with_xgboost(PADDED, matrix([1, 2, 3, 4]))

    for document in (objects, lists):
        response = padded.post(json.dumps(document), "application/json")
        np.testing.assert_array_equal(scores(response), expected)


def test_names_equal_without_blanks_match_exactly_only(padded: Server) -> None:
    """A name is rejected if it could mean two of the model's names."""
    response = padded.post("Destination Port,Flow Duration,id,id \n1,2,3,4\n")

    assert response.status_code == 400
    assert 'missing column " id"; unknown column "id "' in error_of(response)


@pytest.mark.parametrize("header", ["0,1,2", "2,1,0", " 0 , 1 , 2 ", '"0","1","2"', "1,0,2\r"])
def test_header_that_could_be_a_record_must_be_declared(numeric_names: Server, header: str) -> None:
    """3.6: numbers that are also the column names are a 400, unless the request says which."""
    body = f"{header}\n7,8,9\n"
    order = [int(name.strip(' "\r')) for name in header.split(",")]
    by_name = np.empty((1, 3), dtype=np.float32)
    by_name[0, order] = [7, 8, 9]

    assert AMBIGUOUS in error_of(numeric_names.post(body))
    np.testing.assert_array_equal(
        scores(numeric_names.post(body, PRESENT)), predict_with_xgboost(NUMERIC_NAMES, by_name)
    )
    np.testing.assert_array_equal(
        scores(numeric_names.post(body, ABSENT)),
        predict_with_xgboost(NUMERIC_NAMES, matrix(list(map(float, order)), [7, 8, 9])),
    )


def test_other_numbers_are_a_record(numeric_names: Server) -> None:
    """A first line of numbers that are not the column names is a record."""
    response = numeric_names.post("0,1,3\n0,1,2\n")

    np.testing.assert_array_equal(
        scores(response), predict_with_xgboost(NUMERIC_NAMES, matrix([0, 1, 3], [0, 1, 2]))
    )


@pytest.mark.parametrize("header", ["0,1,2,3", '"0","1","2","3"', ",0,1,2"])
def test_numbered_header_without_names_must_be_declared(unnamed: Server, header: str) -> None:
    """The numbers that pandas writes in place of names are a 400 for a model without names."""
    body = f"{header}\n5,6,7,8\n"
    cells = [float(cell.strip('"') or "nan") for cell in header.split(",")]

    assert error_of(unnamed.post(body)) == AMBIGUOUS_WITHOUT_NAMES
    np.testing.assert_array_equal(
        scores(unnamed.post(body, ABSENT)),
        predict_with_xgboost(UNNAMED, matrix(cells, [5, 6, 7, 8])),
    )


@pytest.mark.parametrize("header", ["Color,Hue", "colour,tone", "x,y", "color,"])
def test_unknown_categories_could_be_a_header(
    labels: Server, unnamed_labels: Server, header: str
) -> None:
    """A first line without a known category is a 400, where unknown ones are missing values."""
    body = f"{header}\nred,blue\n"
    expected = matrix([NAN, NAN], [0, 1])

    assert AMBIGUOUS in error_of(labels.post(body))
    assert error_of(unnamed_labels.post(body)) == AMBIGUOUS_WITHOUT_NAMES
    np.testing.assert_array_equal(
        scores(unnamed_labels.post(body, ABSENT)), predict_with_xgboost(UNNAMED_LABELS, expected)
    )


def test_known_categories_are_a_record(unnamed_labels: Server) -> None:
    """A first line with a known category is a record; its unknown category is missing."""
    response = unnamed_labels.post("x,blue\nx,y\n,\n")

    expected = predict_with_xgboost(UNNAMED_LABELS, matrix([NAN, 1], [NAN, NAN], [NAN, NAN]))
    np.testing.assert_array_equal(scores(response), expected)


@pytest.mark.parametrize("content_type", ["text/csv", ABSENT])
def test_repeated_header_is_not_a_record(
    labels: Server, unnamed_labels: Server, content_type: str
) -> None:
    """5.9: a header among the records, as in concatenated files, gets no prediction."""
    lines = ["red,x", "color,hue", "blue,red"]
    response = labels.post("\n".join(lines), content_type, Accept="application/jsonlines")
    results = [json.loads(line) for line in response.text.splitlines()]

    assert results[1] == {"error": "row 2: expected a record, got the header; remove it"}
    np.testing.assert_array_equal(
        np.array([results[0]["score"], results[2]["score"]], dtype=np.float32),
        predict_with_xgboost(LABELS, matrix([0, NAN], [1, 0])),
    )


def test_unclosed_quote_loses_no_record(unnamed_labels: Server) -> None:
    """Lines that a quote joins to one cell are not an unknown category."""
    response = unnamed_labels.post('red,"blue\nblue,red\nred,red"\nred,blue\n')

    assert response.status_code == 400
    assert "row 1: expected one record per line, got a line break in quotes" in error_of(response)


@pytest.mark.parametrize("body", ["color,hue", "color,hue\n", "color,hue\r\n \n\n"])
def test_header_without_records(labels: Server, padded: Server, body: str) -> None:
    """3.14: a payload without records is a 400, unless a header is declared."""
    response = labels.post(body)
    header = ",".join(PADDED_NAMES)

    assert response.status_code == 400
    assert "expected a record below the header, got none; send header=present" in error_of(response)
    assert "expected a record below the header" in error_of(padded.post(header))
    assert (labels.post(body, PRESENT).status_code, labels.post(body, PRESENT).text) == (200, "")
    assert (padded.post(header, PRESENT).status_code, padded.post(header, PRESENT).text) == (
        200,
        "",
    )


@pytest.mark.parametrize("body", [b"\n\n", b" \t\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b"\r"])
@pytest.mark.parametrize("content_type", ["text/csv", ABSENT])
def test_blank_payloads(padded: Server, labels: Server, body: bytes, content_type: str) -> None:
    """3.14: a payload of blank lines is a 400, also where bad rows are reported in place."""
    for server in (padded, labels):
        response = server.post(body, content_type)

        assert response.status_code == 400
        assert "expected a record, got only blank lines" in error_of(response)


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (
            "1,2,3,4\n" + ",".join(PADDED_NAMES),
            "text/csv",
            'got " Destination Port"; this line repeats the header: remove it',
        ),
        (
            ",".join(PADDED_NAMES) + "\n1,2,3,4",
            ABSENT,
            "this line is a header: send Content-Type: text/csv; header=present",
        ),
        (
            "destination port,flow_duration,ID,x\n1,2,3,4",
            PRESENT,
            'did you mean " Destination Port", "Flow Duration "?',
        ),
    ],
)
def test_headers_in_the_wrong_place(
    padded: Server, body: str, content_type: str, message: str
) -> None:
    """A header that is repeated, declared absent or misspelled is a 400 that names the fix."""
    response = padded.post(body, content_type)

    assert response.status_code == 400
    assert message in error_of(response)
