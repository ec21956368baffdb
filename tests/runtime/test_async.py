"""InvokeEndpointAsync, with a folder for S3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.diamonds import CSV
from tests.support.local_runtime import Runtime
from tests.support.server import Server

BODY = CSV.encode()


def invoke_async(local: Runtime, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = local.client().invoke_endpoint_async(
        EndpointName="local", ContentType="text/csv", **parameters
    )
    return answer


def put(local: Runtime, address: str, content: bytes) -> None:
    local.file(address).parent.mkdir(parents=True, exist_ok=True)
    local.file(address).write_bytes(content)


def test_an_object_in_and_an_object_out(local: Runtime, diamonds: Server) -> None:
    """The input's bytes are posted, and the reply is written where the answer says (contract 7.1)."""
    put(local, "s3://in/diamonds.csv", BODY)
    answer = invoke_async(
        local, InputLocation="s3://in/diamonds.csv", Accept="application/json", InferenceId="seven"
    )

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "seven"
    assert (
        local.content(answer["OutputLocation"])
        == diamonds.post(CSV, Accept="application/json").content
    )


def test_an_inline_body(local: Runtime, diamonds: Server) -> None:
    """A small payload may come with the request, and its reply be given a name."""
    answer = invoke_async(local, Body=BODY, S3OutputPathExtension="mine", Filename="diamonds.csv")

    assert answer["OutputLocation"].endswith("/mine/diamonds.csv")
    assert local.content(answer["OutputLocation"]) == diamonds.post(CSV).content


@pytest.mark.parametrize(
    ("address", "content", "words"),
    [
        ("s3://in/bad.csv", b"1,2\n", "Received client error (400)"),
        ("s3://in/none.csv", None, "s3://in/none.csv: no such object"),
        ("s3://../../outside", None, "expected s3://BUCKET/KEY"),
        ("https://in/x", None, "expected s3://BUCKET/KEY"),
        ("s3://in/folder", None, "no such object"),
    ],
)
def test_a_failure_is_an_object_too(
    local: Runtime, address: str, content: bytes | None, words: str
) -> None:
    """What fails later tells why in the object of FailureLocation (contract 7.5)."""
    if content:
        put(local, address, content)
    answer = invoke_async(local, InputLocation=address)

    assert words in local.content(answer["FailureLocation"]).decode()
    assert not local.file(answer["OutputLocation"]).exists()


def test_an_output_that_cannot_be_written(local: Runtime) -> None:
    """Where the reply cannot be written, the failure's object says so."""
    first = invoke_async(local, Body=BODY, S3OutputPathExtension="a", Filename="x")
    local.content(first["OutputLocation"])
    second = invoke_async(local, Body=BODY, S3OutputPathExtension="a/x", Filename="y")

    assert "a/x" in local.content(second["FailureLocation"]).decode()


def test_a_reply_without_its_length_is_a_failure(odd: Runtime) -> None:
    """A chunked reply is refused, as the service does (contract 7.2)."""
    answer = invoke_async(odd, Body=b"chunks end")

    assert "required Content-Length header" in odd.content(answer["FailureLocation"]).decode()


def test_asynchronous_inference_has_a_longer_limit(odd: Runtime) -> None:
    """The limit of an asynchronous invocation is its own, not that of the others (contract 7.1)."""
    patient = invoke_async(odd, Body=b"sleep 1.5")
    hasty = invoke_async(odd, Body=b"sleep 3", InvocationTimeoutSeconds=1)

    assert odd.content(patient["OutputLocation"]) == b"late"
    assert "timed out" in odd.content(hasty["FailureLocation"]).decode()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "either InputLocation or a Body"),
        ({"InputLocation": "s3://in/x", "Body": BODY}, "either InputLocation or a Body"),
        ({"Body": b"x" * 128_001}, "128,001 bytes, where this operation takes 128,000"),
        ({"InputLocation": "x"}, "InputLocation: 'x' does not match"),
        ({"Body": BODY, "S3OutputPathExtension": "../../x"}, "expected s3://BUCKET/KEY"),
    ],
)
def test_what_the_api_does_not_take(local: Runtime, parameters: dict[str, Any], words: str) -> None:
    """What the service would refuse is not accepted, nor written outside of the folder."""
    with pytest.raises(ClientError) as caught:
        local.client().invoke_endpoint_async(
            **{"EndpointName": "local", "ContentType": "text/csv", **parameters}
        )

    assert type(caught.value).__name__ == "ValidationError"
    assert words in caught.value.response["Error"]["Message"]
