"""Where responses and errors differ from those of the AWS XGBoost image."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from tests.support.boosters import save_artifact, train
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

FEATURES = np.random.default_rng(3).normal(size=(400, 3)).round(2)
BINARY = train(FEATURES, FEATURES[:, 0] > 0, objective="binary:logistic")
CLASSES = train(FEATURES, np.arange(400) % 3, objective="multi:softprob", num_class=3)
ROWS = FEATURES[:3]
BODY = "".join(",".join(map(repr, row)) + "\n" for row in ROWS.tolist())
PROBABILITIES = BINARY.predict(xgboost.DMatrix(ROWS))


@pytest.fixture(scope="module")
def binary(models: Path) -> Iterator[Server]:
    with running(save_artifact(BINARY, models / "migration-binary")) as server:
        yield server


@pytest.fixture(scope="module")
def classes(models: Path) -> Iterator[Server]:
    with running(
        save_artifact(CLASSES, models / "migration-classes"), SAGEMAKER_BATCH="true"
    ) as server:
        yield server


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", "a,b,c"),
        ("text/csv", b"\xff\xfe\x00"),
        ("text/libsvm", "1 one:1"),
        ("application/x-recordio-protobuf", "1,2,3"),
    ],
)
def test_bodies_that_cannot_be_parsed_are_400(
    binary: Server, content_type: str, body: str | bytes
) -> None:
    """A body that is invalid for its media type is a 400; AWS's image returns 415."""
    response = binary.post(body, content_type)

    assert response.status_code == 400
    assert error_of(response)


def test_media_type_of_a_csv_response(binary: Server) -> None:
    """The Content-Type of a CSV response is text/csv, without a charset."""
    assert binary.post(BODY).headers["Content-Type"] == "text/csv"


def test_selected_csv_ends_with_a_line_ending(models: Path) -> None:
    """Each line of selected outputs ends with a line ending, also the last."""
    folder = save_artifact(BINARY, models / "migration-selected")
    keys = "predicted_label,probability"
    with running(folder, SAGEMAKER_INFERENCE_OUTPUT=keys) as server:
        lines = server.post(BODY).text.splitlines(keepends=True)

    labels = (PROBABILITIES > 0.5).astype(int)
    expected = zip(labels.tolist(), PROBABILITIES.tolist(), strict=True)
    assert all(line.endswith("\n") for line in lines)
    cells = [line.split(",") for line in lines]
    assert [(int(label), np.float32(score)) for label, score in cells] == [
        (label, np.float32(score)) for label, score in expected
    ]


def test_digits_are_the_shortest_of_the_float32(binary: Server) -> None:
    """A number has no more digits than its float32 needs; AWS's image writes those of a float64."""
    texts = binary.post(BODY).text.split()

    assert [np.float32(text) for text in texts] == PROBABILITIES.tolist()
    assert texts == [np.format_float_positional(score, unique=True) for score in PROBABILITIES]


def test_several_values_in_batch_transform(classes: Server) -> None:
    """Accept decides how several values of a record are written, also in batch transform."""
    expected = CLASSES.predict(xgboost.DMatrix(ROWS))
    csv = classes.post(BODY, Accept="text/csv")
    lines = classes.post(BODY, Accept="application/jsonlines")

    assert "[" not in csv.text
    np.testing.assert_array_equal(scores(csv), expected)
    np.testing.assert_array_equal(scores(lines), expected)


def test_a_blank_first_line_is_rejected(binary: Server) -> None:
    """A blank first line is not a record: 400; AWS's image removes it."""
    response = binary.post("\n" + BODY)

    assert response.status_code == 400
    assert "row 1: expected a record, got a blank line" in error_of(response)


def test_duplicate_libsvm_indices_are_rejected(binary: Server) -> None:
    """An index that occurs twice in a line is a 400; AWS's image adds the two values."""
    response = binary.post("1 0:1 0:2 1:3", "text/libsvm")

    assert response.status_code == 400
    assert "row 1: duplicate index 0" in error_of(response)


def test_client_snippets(binary: Server, classes: Server) -> None:
    """The documented snippets read every value of a CSV response."""
    text = binary.post(BODY).text
    several = classes.post(BODY).text

    np.testing.assert_array_equal(
        np.loadtxt(io.StringIO(text), delimiter=",", dtype=np.float32), PROBABILITIES
    )
    np.testing.assert_array_equal(
        np.loadtxt(io.StringIO(several), delimiter=",", dtype=np.float32),
        CLASSES.predict(xgboost.DMatrix(ROWS)),
    )
    frame = pd.read_csv(io.StringIO(text), header=None, dtype=np.float32)
    np.testing.assert_array_equal(frame[0], PROBABILITIES)


def test_probabilities_of_each_record(classes: Server) -> None:
    """Clarify reads one line of probabilities per record, in CSV and in JSON Lines."""
    expected = CLASSES.predict(xgboost.DMatrix(ROWS))
    csv = classes.post(BODY, Accept="text/csv").text.splitlines()
    lines = classes.post(BODY, Accept="application/jsonlines").text.splitlines()

    assert [len(line.split(",")) for line in csv] == [3, 3, 3]
    np.testing.assert_array_equal(
        np.array([json.loads(line)["score"] for line in lines], np.float32), expected
    )
