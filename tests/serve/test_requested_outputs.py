"""Contract 3.18 and 8.4: the outputs that a caller selects with parameters of Accept."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server, running

FEATURES = random_features(300, 3, missing=0)
CLASSES = ["low", "middle, of three", "high"]
TARGET = (FEATURES.sum(axis=1) > 0).astype(int) + (FEATURES[:, 0] > 1)
BOOSTER = train(FEATURES, TARGET, objective="multi:softprob", num_class=3)
BODY = "".join(",".join(map(repr, row)) + "\n" for row in FEATURES.tolist())
EXPECTED = predict_with_xgboost(BOOSTER, FEATURES)
LABELS = EXPECTED.argmax(axis=1)
JAVA_ACCEPT = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


@pytest.fixture(scope="module")
def folder(models: Path) -> Path:
    folder = save_artifact(BOOSTER, models / "requested")
    (folder / "schema.json").write_text(json.dumps({"prediction": {"classes": CLASSES}}))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with running(folder) as running_server:
        yield running_server


def read_cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def float32(values: object) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def test_flat_cells(server: Server) -> None:
    """3.18: cells=flat puts each value in its own cell, also those of lists and of null."""
    accept = "text/csv; outputs=class+probabilities+labels+spread; cells=flat"
    rows = read_cells(server.post(BODY, Accept=accept).text)

    assert [row[0] for row in rows] == [CLASSES[label] for label in LABELS]
    np.testing.assert_array_equal(float32([row[1:4] for row in rows]), EXPECTED)
    assert {tuple(row[4:]) for row in rows} == {("0", "1", "2", "nan")}


def test_flat_explanations(server: Server) -> None:
    """cells=flat also flattens explanations, in the order of npy."""
    parameters = "; outputs=score; explain=contributions+margin+leaves"
    rows = read_cells(server.post(BODY, Accept=f"text/csv{parameters}; cells=flat").text)
    array = np.load(io.BytesIO(server.post(BODY, Accept=f"application/x-npy{parameters}").content))

    np.testing.assert_array_equal(float32(rows), array)


@pytest.mark.parametrize(
    "outputs",
    [
        "predicted_label+probability",
        '"predicted_label,probability"',
        '"predicted_label, probability"',
        "Predicted_Label+PROBABILITY+probability",
    ],
)
def test_keys_are_joined_or_listed(server: Server, outputs: str) -> None:
    """8.4: Keys are joined by +, or listed in quotes, in any case, each once."""
    response = server.post(BODY, Accept=f"application/jsonlines; outputs={outputs}")
    rows = [strict(line) for line in response.text.splitlines()]

    assert {tuple(row) for row in rows} == {("predicted_label", "probability")}
    assert [row["predicted_label"] for row in rows] == LABELS.tolist()
    np.testing.assert_array_equal(float32([row["probability"] for row in rows]), EXPECTED.max(1))


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
def test_the_score_alone_is_the_default_response(server: Server, accept: str) -> None:
    """8.4: With outputs=score, the response is the default one, in every media type."""
    response = server.post(BODY, Accept=f"{accept}; outputs=score")

    np.testing.assert_array_equal(scores(response), EXPECTED)
    assert response.content == server.post(BODY, Accept=accept).content


@pytest.mark.parametrize(
    ("accept", "problems"),
    [
        (
            "application/json; outputs=clas",
            ['unknown key "clas": did you mean "class"?', 'expected "predicted_label", '],
        ),
        ("application/json; outputs=", ['expected one or more of "predicted_label", ']),
        (
            "application/json; outputs=class,probabilities",
            ['"probabilities" is not a media type', '"class_probabilities", "score"'],
        ),
        ("text/csv, image/png; outputs=x", ['unknown key "x"']),
        ("application/json; output=class", ['did you mean "outputs"?']),
        ("text/csv; outputs=class; outputs=score", ['"outputs" once, got it 2 times']),
        ("text/csv; cells=quoted", ['expected cells=flat, got "quoted"']),
        ("application/json; outputs=class; cells=flat", ["cells=flat: requires text/csv"]),
        ("text/csv; threshold=0.7", ["the threshold is declared in schema.json"]),
        ("application/x-npy; outputs=class", ["application/x-npy cannot contain the names"]),
    ],
)
def test_invalid_outputs_are_406(server: Server, accept: str, problems: list[str]) -> None:
    """3.14: An unknown key, and an entry without a slash are a 406 that lists the keys."""
    response = server.post(BODY, Accept=accept)

    assert response.status_code == 406
    for problem in problems:
        assert problem in error_of(response)


@pytest.mark.parametrize("accept", [JAVA_ACCEPT, "text/csv,", "text/csv, */*;q=0.1"])
def test_accept_of_other_clients(server: Server, accept: str) -> None:
    """3.5: The asterisk that Java sends, and empty entries, are accepted."""
    np.testing.assert_array_equal(scores(server.post(BODY, Accept=accept)), EXPECTED)


def test_outputs_belong_to_accept(server: Server) -> None:
    """3.6: The parameters of Accept in Content-Type are a 415 that says where they belong."""
    response = server.post(BODY, "text/csv; outputs=class")

    assert response.status_code == 415
    assert '"outputs" belongs to Accept' in error_of(response)


@pytest.mark.parametrize("media_type", ["text/csv", "application/jsonlines"])
def test_streams(server: Server, media_type: str) -> None:
    """7.14: A streamed response has the same outputs as one that is not."""
    body = BODY * 100
    accept = f"{media_type}; outputs=class+class_probabilities"
    whole = server.post(body, Accept=accept)
    streamed = server.post(body, Accept=f"{accept}; stream=true")

    assert streamed.headers["Transfer-Encoding"] == "chunked"
    assert streamed.content == whole.content
    assert len(streamed.text.splitlines()) == 100 * len(FEATURES)
    if media_type == "text/csv":
        rows = read_cells(streamed.text)
        assert [row[0] for row in rows] == [CLASSES[label] for label in LABELS] * 100
        np.testing.assert_array_equal(
            float32([row[1:] for row in rows]), np.tile(EXPECTED, (100, 1))
        )


def test_row_errors(folder: Path) -> None:
    """5.9: A bad row has an error in its place, whatever outputs the others have."""
    lines = [*BODY.splitlines()[:2], "1,x,3", *BODY.splitlines()[2:5]]
    labels = [*LABELS[:2], None, *LABELS[2:5]]
    with running(folder, SERVE_ROW_ERRORS="true") as server:
        text = server.post(
            "\n".join(lines), Accept="text/csv; outputs=class+probability; cells=flat"
        ).text
        rows = server.post(
            "\n".join(lines), Accept="application/jsonlines; outputs=class; explain=margin"
        ).text
        only_bad = server.post("1,x,3", Accept="text/csv; outputs=class").text
    names = [[] if label is None else [CLASSES[label]] for label in labels]

    assert [row[:1] for row in read_cells(text)] == [name or ["ERROR"] for name in names]
    records = [strict(line) for line in rows.splitlines()]
    assert [[row["class"]] if "class" in row else [] for row in records] == names
    assert 'row 3, column 2: expected a number, got "x"' in records[2]["error"]
    assert [list(row.get("margin", ())) for row in records] == [
        [] if label is None else CLASSES for label in labels
    ]
    assert only_bad == "ERROR\n"


def test_the_request_replaces_the_setting(folder: Path) -> None:
    """8.4: SAGEMAKER_INFERENCE_OUTPUT applies to requests that select nothing."""
    with running(
        folder,
        SAGEMAKER_INFERENCE_OUTPUT="predicted_label,class",
        SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv; outputs=class; cells=flat",
    ) as server:
        answers = {
            accept: server.post(BODY, Accept=accept).text
            for accept in (
                "*/*",
                "text/csv",
                "text/csv; outputs=score; cells=flat",
                "application/jsonlines; explain=margin",
            )
        }
        refused = server.post(BODY, Accept="application/x-npy")
    lines = zip(LABELS, [CLASSES[label] for label in LABELS], strict=True)
    quoted = [f'{label},"{name}"' if "," in name else f"{label},{name}" for label, name in lines]

    assert answers["text/csv"].splitlines() == quoted
    assert answers["*/*"].splitlines() == [line.partition(",")[2] for line in quoted]
    rows = read_cells(answers["text/csv; outputs=score; cells=flat"])
    np.testing.assert_array_equal(float32(rows), EXPECTED)
    explained = [
        strict(line) for line in answers["application/jsonlines; explain=margin"].splitlines()
    ]
    assert list(explained[0]) == ["predicted_label", "class", "margin"]
    assert refused.status_code == 406


def test_a_long_name_is_not_in_every_record(models: Path) -> None:
    """5.9: A large payload is not rejected because the class of zeros has a long name."""
    folder = save_artifact(BOOSTER, models / "requested-long")
    zeros = predict_with_xgboost(BOOSTER, np.zeros((1, 3), np.float32)).argmax()
    names = ["x" * 4000 if label == zeros else CLASSES[label] for label in range(3)]
    (folder / "schema.json").write_text(json.dumps({"prediction": {"classes": names}}))
    line, label = next(
        (line, label)
        for line, label in zip(BODY.splitlines(), LABELS, strict=True)
        if label != zeros
    )
    count = (1 << 20) // len(line)
    with running(folder, SERVE_MAX_RESPONSE_IN_MB="8") as server:
        response = server.post((line + "\n") * count, Accept="text/csv; outputs=class")

    assert response.status_code == 200
    assert read_cells(response.text) == [[CLASSES[label]]] * count
