"""Contract 3.5, 3.6 and 3.9: what comes in, and what goes out."""

import itertools
import json

import numpy as np
import pytest
import requests

from tests.support.diamonds import ARTIFACT, CODED, CSV, OBJECTS, PAYLOADS, expected
from tests.support.payloads import libsvm, npy
from tests.support.protobuf import dense
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

REPLIES = [
    "text/csv",
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "application/x-npy",
]
MEDIA_TYPES = [*REPLIES, "text/libsvm"]
PAYLOAD_OF = {
    "text/csv": CSV,
    "application/json": json.dumps({"instances": OBJECTS}),
    "application/jsonlines": "\n".join(map(json.dumps, OBJECTS)),
    "application/x-recordio-protobuf": dense(CODED, "float64"),
    "application/x-npy": npy(CODED),
    "text/libsvm": libsvm(CODED),
}


@pytest.mark.parametrize(("sent", "accepted"), list(itertools.product(MEDIA_TYPES, REPLIES)))
def test_any_type_in_with_any_type_out(diamonds: Server, sent: str, accepted: str) -> None:
    """3.9: every media type is answered in every other, with the numbers of XGBoost itself, and named for what it is."""
    response = diamonds.post(PAYLOAD_OF[sent], sent, Accept=accepted)

    assert response.headers["Content-Type"] == accepted
    np.testing.assert_array_equal(scores(response), expected())


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("diamonds.csv", "text/csv"),
        ("diamonds-header.csv", "text/csv"),
        ("diamonds-header.csv", "text/csv; header=present"),
        ("diamonds.json", "application/json"),
        ("diamonds.jsonl", "application/jsonlines"),
    ],
)
def test_sample_payloads(diamonds: Server, name: str, content_type: str) -> None:
    """The payloads of local_test are predicted as XGBoost predicts them."""
    response = diamonds.post((PAYLOADS / name).read_bytes(), content_type)

    np.testing.assert_array_equal(scores(response), expected())


@pytest.mark.parametrize(
    "content_type",
    [None, "", "TEXT/CSV", "text/csv; charset=utf-8", "text/csv;header=absent", "Text/Csv ; a=b"],
)
def test_content_type_may_be_missing_or_carry_parameters(
    diamonds: Server, content_type: str | None
) -> None:
    """3.6: no Content-Type means text/csv; parameters and upper case are understood."""
    np.testing.assert_array_equal(scores(diamonds.post(CSV.encode(), content_type)), expected())


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "application/x-parquet", "text", "text/plain", "label_size=1;text/csv", "/"],
)
def test_unknown_content_type_is_415(diamonds: Server, content_type: str) -> None:
    """3.14: a type that no codec reads is a 415 that names those that can be read."""
    response = diamonds.post(CSV, content_type)

    assert response.status_code == 415
    assert all(media_type in error_of(response) for media_type in MEDIA_TYPES)


@pytest.mark.parametrize(
    ("accept", "sent", "answered"),
    [
        (None, "text/csv", "text/csv"),
        ("*/*", "text/csv", "text/csv"),
        ("*/*", "application/json", "application/json"),
        ("", "application/jsonlines", "application/jsonlines"),
        ("text/*", "application/json", "text/csv"),
        ("application/*", "text/csv", "application/json"),
        ("application/*", "application/jsonlines", "application/jsonlines"),
        ("application/json", "text/csv", "application/json"),
        ("APPLICATION/JSON", "text/csv", "application/json"),
        ("application/json;verbose=True", "text/csv", "application/json"),
        ("application/json, text/csv", "text/csv", "application/json"),
        ("application/json;q=0.5, text/csv", "application/json", "text/csv"),
        ("text/csv;q=0.1, */*;q=0.2", "text/csv", "application/json"),
        ("*/*, text/csv;q=0", "text/csv", "application/json"),
        ("image/png, application/jsonlines;q=0.1", "text/csv", "application/jsonlines"),
        ("*/*;q=0.1, application/json", "text/csv", "application/json"),
        ("application/json, */*", "text/csv", "application/json"),
        (None, "text/libsvm", "text/csv"),
        (None, "application/x-npy", "text/csv"),
        ("*/*", "application/x-recordio-protobuf", "text/csv"),
        ("text/libsvm, application/x-npy;q=0.1", "text/csv", "application/x-npy"),
    ],
)
def test_accept_is_negotiated(
    diamonds: Server, accept: str | None, sent: str, answered: str
) -> None:
    """3.5 and RFC 9110, 12.5.1: lists, weights and ranges; left open, JSON is answered in kind and all else as CSV."""
    response = diamonds.post(PAYLOAD_OF[sent], sent, Accept=accept)

    assert response.headers["Content-Type"] == answered
    np.testing.assert_array_equal(scores(response), expected())


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        "text/html, image/*",
        "text/csv;q=0",
        "*/*;q=0",
        "application",
        ",,/",
        "text/libsvm",
    ],
)
def test_unacceptable_is_406_before_the_body_is_looked_at(diamonds: Server, accept: str) -> None:
    """3.14: an Accept that allows nothing the server makes is a 406, whatever the body holds."""
    response = diamonds.post("no, diamond", Accept=accept)

    assert response.status_code == 406
    assert all(media_type in error_of(response) for media_type in REPLIES)


def test_default_accept_setting() -> None:
    """3.5 and 8.4: SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT decides where Accept leaves it open, and only there."""
    with running(ARTIFACT, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/jsonlines") as server:
        left_open = [server.post(CSV, Accept=accept) for accept in (None, "*/*", "application/*")]
        chosen = server.post(CSV, Accept="text/*")

    assert [response.headers["Content-Type"] for response in left_open] == [
        "application/jsonlines"
    ] * 3
    assert chosen.headers["Content-Type"] == "text/csv"


def test_every_body_of_no_bytes_is_204(diamonds: Server) -> None:
    """3.14 and 12.5: zero bytes are answered by 204 without a body."""
    responses = [
        diamonds.post(b"", content_type) for content_type in [*MEDIA_TYPES, "image/png", None]
    ]

    assert {response.status_code for response in responses} == {204}
    assert {response.content for response in responses} == {b""}
    assert requests.post(f"{diamonds.url}/invocations", timeout=5).status_code == 204
