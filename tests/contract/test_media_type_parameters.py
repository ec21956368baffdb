"""Contract 3.5, 3.6 and 3.14: names and parameters of media types, and those that are refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.diamonds import ARTIFACT, CODED, CSV, OBJECTS, expected
from tests.support.payloads import libsvm, npy
from tests.support.protobuf import dense
from tests.support.responses import error_of, scores
from tests.support.server import Server, running, startup_error

CSV_BYTES = CSV.encode()
LINES = "\n".join(map(json.dumps, OBJECTS)).encode()
CITIES = ["Köln", "Łódź", "Nîmes"]
FRAME = pd.DataFrame({"city": pd.Categorical(CITIES * 20, categories=CITIES), "x": np.arange(60.0)})
BOOSTER = train(FRAME, FRAME["city"].cat.codes * 10 + FRAME["x"])


@pytest.fixture(scope="module")
def cities(front_end: str, models: Path) -> Iterator[Server]:
    """Return a server of a model with labels that are not ASCII."""
    folder = save_artifact(BOOSTER, models / f"cities-{front_end.replace(' ', '-')}")
    features = [{"name": "city", "categories": CITIES}, {"name": "x"}]
    (folder / "schema.json").write_text(json.dumps({"features": features}))
    with running(folder) as server:
        yield server


@pytest.mark.parametrize(
    ("content_type", "advice"),
    [
        ("application/octet-stream", "SDKs send it if no type is chosen: set the media type of"),
        ("application/x-www-form-urlencoded", "curl -d sends it by default: add -H 'Content-Type:"),
        ("multipart/form-data; boundary=x", "curl -F and HTML forms send it: send the file as"),
        ("application/x-npz", "SparseMatrixSerializer sends it: send a dense array with Numpy"),
        ("application/x-parquet", "send the same rows as text/csv; header=present"),
        ("application/x-image", "the model reads columns of numbers and labels, not images"),
        ("image/png", "the model reads columns of numbers and labels, not image data"),
        ("text/plain;charset=UTF-8", "HTTP clients send it with strings if no type is chosen"),
        ("application/xml", "XML is not read: send the values as application/json or text/csv"),
        ("application/x-protobuf", "RecordIO frames, and set application/x-recordio-protobuf"),
        ("application/pickle", "pickles are never loaded"),
        ("application/gzip", "set Content-Encoding: gzip"),
        ("application/vnd.ms-excel", "browsers on Windows send it for .csv files: set text/csv"),
        ("text/tab-separated-values", "set text/csv; delimiter=tab"),
        ("text/json", "did you mean application/json?"),
        ("application/vnd.api+json", "did you mean application/json?"),
        ("application/jsonline", "did you mean application/jsonlines?"),
        ("text/cvs", "did you mean text/csv?"),
        ("text/csv header=present", "did you mean text/csv?"),
        ("application/x-recordio", "did you mean application/x-recordio-protobuf?"),
    ],
)
def test_unsupported_types_are_explained(diamonds: Server, content_type: str, advice: str) -> None:
    """3.14: a 415 states which client sends the type by default, and what to set instead."""
    response = diamonds.post(CSV_BYTES, content_type)
    message = error_of(response)

    assert response.status_code == 415
    name = content_type.partition(";")[0]
    assert message.startswith(f'unsupported Content-Type: got "{name}"')
    assert "expected text/csv, application/json, application/jsonlines, " in message
    assert advice in message


@pytest.mark.parametrize(
    ("content_type", "payload"),
    [
        ("recordio-protobuf", dense(CODED, "float64")),
        ("RecordIO-Protobuf", dense(CODED, "float64")),
        ("application/jsonl", LINES),
        ("application/x-jsonlines", LINES),
        ("application/ndjson", LINES),
        ("application/x-ndjson; charset=utf-8", LINES),
        ("csv;header=absent", CSV_BYTES),
    ],
)
def test_other_names(diamonds: Server, content_type: str, payload: bytes) -> None:
    """3.6: the other names that AWS's image accepts, and those of JSON Lines, are accepted."""
    np.testing.assert_array_equal(scores(diamonds.post(payload, content_type)), expected())


@pytest.mark.parametrize(
    ("content_type", "problem"),
    [
        ("text/csv; headers=present", 'unknown parameter "headers"; did you mean "header"?'),
        ("text/csv; delimeter=;", 'unknown parameter "delimeter"; did you mean "delimiter"?'),
        ("text/csv; sep=tab", 'unknown parameter "sep"; did you mean "delimiter"?'),
        ("text/csv; label-size=1", 'unknown parameter "label-size"; did you mean "label_size"?'),
        ("text/csv; label=present", 'unknown parameter "label"; did you mean "label_size"?'),
        ("text/csv; chartset=utf-8", 'unknown parameter "chartset"; did you mean "charset"?'),
        ("text/csv; header=present; Header=absent", 'expected the parameter "header" once, got it'),
        ("text/csv; header", 'expected header=…, got "header" without a value'),
        ("text/csv; header=absent x", "header=absent x: expected one value, got a blank in it"),
        ("text/csv; header:absent", 'expected header=…, got "header" without a value'),
        ("text/csv; missing=-999", "declared in schema.json"),
        ("text/csv; decimal=,", 'unknown parameter "decimal": numbers have a decimal point'),
        ("text/libsvm; labels=absent", 'unknown parameter "labels"; did you mean "label"?'),
        ("text/libsvm; label_size=0", 'unknown parameter "label_size"; did you mean "label"?'),
        ("text/libsvm; indexing_mode=1", "the index base is a setting, SERVE_LIBSVM_BASE"),
        ("application/json; encoding=utf-8", 'unknown parameter "encoding"; did you mean "chars'),
        ("text/csv; charset=utf-7", 'unsupported charset "utf-7": expected utf-8, iso-8859-1'),
        ("application/json; charset=x", 'unsupported charset "x": expected utf-8, iso-8859-1'),
    ],
)
def test_misspelled_parameters_are_415(diamonds: Server, content_type: str, problem: str) -> None:
    """3.6: a parameter that resembles one of this server's, or would change a number, is a 415."""
    response = diamonds.post(CSV_BYTES, content_type)

    assert response.status_code == 415
    assert error_of(response).startswith("Content-Type: ")
    assert problem in error_of(response)


@pytest.mark.parametrize(
    ("content_type", "problem"),
    [
        ("application/json; header=present", '"header" belongs to text/csv, not to application/j'),
        ("application/x-ndjson; Header=present", "belongs to text/csv, not to application/jsonl"),
        ("text/libsvm; header=absent", "belongs to text/csv, not to text/libsvm: remove it"),
        ("text/libsvm; label=absent; delimiter=tab", '"delimiter" belongs to text/csv, not to te'),
        ("application/x-npy; charset=x; header=present", "belongs to text/csv, not to applicatio"),
        ("recordio-protobuf; label_size=1", '"label_size" belongs to text/csv, not to applicatio'),
        ("application/json; label=absent", '"label" belongs to text/libsvm, not to application/'),
        ("text/csv; explain=margin", '"explain" belongs to Accept: send it there'),
        ("application/json; stream=true", '"stream" belongs to Accept: send it there'),
    ],
)
def test_misplaced_parameters_are_415(diamonds: Server, content_type: str, problem: str) -> None:
    """3.6: a parameter that belongs to another media type, or to Accept, is a 415."""
    response = diamonds.post(CSV_BYTES, content_type)

    assert response.status_code == 415
    assert error_of(response).startswith("Content-Type: the parameter ")
    assert problem in error_of(response)


@pytest.mark.parametrize(
    ("content_type", "payload"),
    [
        ('text/csv; boundary=x; profile="a; header=present"; version=1', CSV_BYTES),
        ("text/csv;charset=UTF-8;header=absent", CSV_BYTES),
        ('text/csv; charset="us-ascii"', CSV_BYTES),
        ("text/csv; charset=ISO-8859-1", CSV_BYTES),
        ("text/csv; charset=utf-16", CSV.encode("utf-16")),
        ("application/json; charset=utf-16le", json.dumps(OBJECTS).encode("utf-16-le")),
        ("application/json; odata.metadata=none", json.dumps(OBJECTS).encode()),
        ("application/x-npy; charset=x", npy(CODED)),
        ("text/libsvm; format=libsvm", libsvm(CODED).encode()),
    ],
)
def test_unrelated_parameters_are_ignored(
    diamonds: Server, content_type: str, payload: bytes
) -> None:
    """3.6: parameters that this server does not know have no effect; charsets are decoded."""
    np.testing.assert_array_equal(scores(diamonds.post(payload, content_type)), expected())


@pytest.mark.parametrize(
    ("charset", "labels"),
    [
        ("utf-8", CITIES),
        ("iso-8859-1", ["Köln", "Nîmes"]),
        ("Windows-1252", ["Köln", "Nîmes"]),
        ("utf-16", CITIES),
        ("UTF-16BE", CITIES),
    ],
)
def test_labels_in_other_charsets(cities: Server, charset: str, labels: list[str]) -> None:
    """Labels are decoded in the declared charset, in CSV, JSON and JSON Lines."""
    rows = pd.DataFrame({"city": pd.Categorical(labels, categories=CITIES), "x": 1.5})
    records = [{"city": label, "x": 1.5} for label in labels]
    bodies = {
        "text/csv": "".join(f"{label},1.5\n" for label in labels),
        "application/json": json.dumps(records, ensure_ascii=False),
        "application/jsonlines": "\n".join(
            json.dumps(record, ensure_ascii=False) for record in records
        ),
    }

    for media_type, body in bodies.items():
        response = cities.post(body.encode(charset), f"{media_type}; charset={charset}")
        np.testing.assert_array_equal(scores(response), predict_with_xgboost(BOOSTER, rows))


def test_text_that_is_invalid_in_its_charset(cities: Server) -> None:
    """3.14: a payload that cannot be decoded in the declared charset is a 400."""
    response = cities.post("Köln,1\n".encode("utf-16-le")[:-1], "text/csv; charset=utf-16le")

    assert response.status_code == 400
    assert "expected text in utf-16-le" in error_of(response)


@pytest.mark.parametrize(
    ("accept", "problem"),
    [
        ("application/json; explian=margin", 'unknown parameter "explian"; did you mean "explain"'),
        ("*/*; explanation=margin", 'unknown parameter "explanation"; did you mean "explain"?'),
        ("application/json; shap=true", 'unknown parameter "shap"; did you mean "explain"?'),
        ("text/csv; streaming=true", 'unknown parameter "streaming"; did you mean "stream"?'),
        ("application/json; explain=contributions; tops=3", '"tops"; did you mean "top"?'),
        ("text/csv; output=labels", 'unknown parameter "output"; did you mean "outputs"?'),
        (
            "text/csv; outputs=label",
            'unknown key "label": did you mean "labels"? expected "predicted_label", ',
        ),
        ("text/csv, margin", '"margin" is not a media type'),
        ("application/*; q=0.5; top=3, text/csv", "top=3: requires explain=contributions"),
        ("text/csv, application/json; q=0.1; stream=yes", "expected stream=true or stream=false"),
        ("text/csv; stream", 'expected stream=…, got "stream" without a value'),
        ("application/json; outputs=score predicted_label", "score predicted_label: expected one"),
        ("application/json; outputs=score + labels", "expected one value, got a blank in it"),
        ("application/json; outputs=score;labels", "join several outputs with +"),
        ("text/csv; explain=contributions; top=2 5", "top=2 5: expected one value, got a blank"),
        ("*/*; explain=margin; explain=leaves", 'expected the parameter "explain" once, got it 2'),
        ("csv", "did you mean text/csv?"),
        ("application/jsonl", "did you mean application/jsonlines?"),
        ("text/json;q=1", "did you mean application/json?"),
    ],
)
def test_misspelled_accept_is_406(diamonds: Server, accept: str, problem: str) -> None:
    """3.5: a parameter of any range that resembles one of this server's is a 406."""
    response = diamonds.post(CSV_BYTES, Accept=accept)

    assert response.status_code == 406
    assert problem in error_of(response)


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv; charset=utf-8; header=present",
        "text/csv; q=1; indent=2; stream=false",
        '*/*; profile="x; explian=margin"',
        "image/png; level=1, text/csv; version=1",
    ],
)
def test_unrelated_accept_parameters_are_ignored(diamonds: Server, accept: str) -> None:
    """3.5: parameters of Accept that this server does not know have no effect."""
    np.testing.assert_array_equal(scores(diamonds.post(CSV_BYTES, Accept=accept)), expected())


def test_default_accept_with_parameters() -> None:
    """8.4: the parameters of the default apply if Accept leaves type and parameters open."""
    default = "application/json; explain=contributions; top=2"
    with running(ARTIFACT, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=default) as server:
        requested = server.post(CSV_BYTES, Accept=default)
        open_choice = [
            server.post(CSV_BYTES, Accept=accept)
            for accept in (None, "*/*", "application/*;q=0.9", "image/png, */*; charset=utf-8")
        ]
        chosen = server.post(CSV_BYTES, Accept="application/json")
        other = server.post(CSV_BYTES, Accept="*/*; explain=margin")

    assert len(requested.json()["predictions"][0]["contributions"]) == 2
    assert [response.json() for response in open_choice] == [requested.json()] * 4
    assert "contributions" not in chosen.json()["predictions"][0]
    assert set(other.json()["predictions"][0]) == {"score", "margin"}
    np.testing.assert_array_equal(scores(requested), expected())


def test_default_accept_that_streams() -> None:
    """7.14: stream=true in the default streams large responses to callers without Accept."""
    body = CSV * (-(-(2 << 20) // len(CSV)))
    with running(ARTIFACT, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv; stream=true") as server:
        streamed, at_once = server.post(body), server.post(body, Accept="text/csv")

    assert streamed.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" in at_once.headers
    assert streamed.content == at_once.content
    np.testing.assert_array_equal(scores(streamed)[: len(CODED)], expected())


@pytest.mark.parametrize(
    ("default", "problem"),
    [
        ("text/html", 'expected one of "text/csv", "application/json", '),
        ("text/csv, application/json", 'expected one of "text/csv", '),
        ("text/csv; streem=true", 'unknown parameter "streem"; did you mean "stream"?'),
        ("application/json; explain=gain", "expected margin, contributions, leaves"),
        ("text/csv; explain=contributions; top=3", "requires explain=contributions"),
    ],
)
def test_invalid_default_accept_prevents_startup(default: str, problem: str) -> None:
    """8.4: an invalid default media type is named at startup, and so is an invalid parameter."""
    output = startup_error(ARTIFACT, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=default)

    assert "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT" in output
    assert problem in output
