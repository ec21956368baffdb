"""Contract 3.5, 3.6 and 3.9: media types of payloads and responses."""

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

RESPONSE_TYPES = [
    "text/csv",
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "application/x-npy",
]
MEDIA_TYPES = [*RESPONSE_TYPES, "text/libsvm"]
PAYLOAD_BY_TYPE = {
    "text/csv": CSV,
    "application/json": json.dumps({"instances": OBJECTS}),
    "application/jsonlines": "\n".join(map(json.dumps, OBJECTS)),
    "application/x-recordio-protobuf": dense(CODED, "float64"),
    "application/x-npy": npy(CODED),
    "text/libsvm": libsvm(CODED),
}


@pytest.mark.parametrize(("sent", "accepted"), list(itertools.product(MEDIA_TYPES, RESPONSE_TYPES)))
def test_every_payload_type_with_every_response_type(
    diamonds: Server, sent: str, accepted: str
) -> None:
    """3.9: the response has the accepted media type, and XGBoost's own predictions."""
    response = diamonds.post(PAYLOAD_BY_TYPE[sent], sent, Accept=accepted)

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
    """The sample payloads of local_test get XGBoost's own predictions."""
    response = diamonds.post((PAYLOADS / name).read_bytes(), content_type)

    np.testing.assert_array_equal(scores(response), expected())


@pytest.mark.parametrize(
    "content_type",
    [None, "", "TEXT/CSV", "text/csv; charset=utf-8", "text/csv;header=absent", "Text/Csv ; a=b"],
)
def test_content_type_may_be_missing_or_have_parameters(
    diamonds: Server, content_type: str | None
) -> None:
    """3.6: a missing Content-Type means text/csv; case and unknown parameters are ignored."""
    np.testing.assert_array_equal(scores(diamonds.post(CSV.encode(), content_type)), expected())


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "application/x-parquet", "text", "text/plain", "label_size=1;text/csv", "/"],
)
def test_unknown_content_type_is_415(diamonds: Server, content_type: str) -> None:
    """3.14: an unknown Content-Type gets status 415 and the list of supported ones."""
    response = diamonds.post(CSV, content_type)

    assert response.status_code == 415
    assert all(media_type in error_of(response) for media_type in MEDIA_TYPES)


@pytest.mark.parametrize(
    ("accept", "payload_type", "response_type"),
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
    diamonds: Server, accept: str | None, payload_type: str, response_type: str
) -> None:
    """3.5: Accept with lists, weights and ranges selects the type by RFC 9110, 12.5.1."""
    response = diamonds.post(PAYLOAD_BY_TYPE[payload_type], payload_type, Accept=accept)

    assert response.headers["Content-Type"] == response_type
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
def test_unacceptable_is_406_before_the_payload_is_decoded(diamonds: Server, accept: str) -> None:
    """3.14: an Accept without a supported type gets status 406, even for an invalid payload."""
    response = diamonds.post("no, diamond", Accept=accept)

    assert response.status_code == 406
    assert all(media_type in error_of(response) for media_type in RESPONSE_TYPES)


def test_default_accept_setting() -> None:
    """3.5 and 8.4: SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT applies if Accept leaves it open."""
    with running(ARTIFACT, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/jsonlines") as server:
        by_default = [server.post(CSV, Accept=accept) for accept in (None, "*/*", "application/*")]
        chosen = server.post(CSV, Accept="text/*")

    assert [response.headers["Content-Type"] for response in by_default] == [
        "application/jsonlines"
    ] * 3
    assert chosen.headers["Content-Type"] == "text/csv"


def test_empty_body_is_204(diamonds: Server) -> None:
    """3.14 and 12.5: an empty body gets status 204 without a body, for any Content-Type."""
    responses = [
        diamonds.post(b"", content_type) for content_type in [*MEDIA_TYPES, "image/png", None]
    ]

    assert {response.status_code for response in responses} == {204}
    assert {response.content for response in responses} == {b""}
    assert requests.post(f"{diamonds.url}/invocations", timeout=5).status_code == 204
