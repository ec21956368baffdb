"""InvokeEndpointAsync, with a folder instead of S3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.diamonds import CSV
from tests.support.local_runtime import LocalRuntime
from tests.support.server import Server

BODY = CSV.encode()


def invoke_async(runtime: LocalRuntime, **parameters: Any) -> dict[str, Any]:
    response: dict[str, Any] = runtime.create_client().invoke_endpoint_async(
        EndpointName="local", ContentType="text/csv", **parameters
    )
    return response


def write_object(runtime: LocalRuntime, uri: str, content: bytes) -> None:
    path = runtime.object_path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_input_object_gives_an_output_object(local_runtime: LocalRuntime, diamonds: Server) -> None:
    """The input object is posted, and the response written to OutputLocation (contract 7.1)."""
    write_object(local_runtime, "s3://in/diamonds.csv", BODY)
    response = invoke_async(
        local_runtime,
        InputLocation="s3://in/diamonds.csv",
        Accept="application/json",
        InferenceId="seven",
    )
    output = local_runtime.wait_for_object(response["OutputLocation"])

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert response["InferenceId"] == "seven"
    assert output == diamonds.post(CSV, Accept="application/json").content


def test_inline_body(local_runtime: LocalRuntime, diamonds: Server) -> None:
    """A small payload can be sent in the body, and the output object can be named."""
    response = invoke_async(
        local_runtime, Body=BODY, S3OutputPathExtension="mine", Filename="diamonds.csv"
    )
    output = local_runtime.wait_for_object(response["OutputLocation"])

    assert response["OutputLocation"].endswith("/mine/diamonds.csv")
    assert output == diamonds.post(CSV).content


@pytest.mark.parametrize(
    ("uri", "content", "message"),
    [
        ("s3://in/bad.csv", b"1,2\n", "Received client error (400)"),
        ("s3://in/none.csv", None, "s3://in/none.csv: no such object"),
        ("s3://../../outside", None, "expected s3://BUCKET/KEY"),
        ("https://in/x", None, "expected s3://BUCKET/KEY"),
        ("s3://in/folder", None, "no such object"),
    ],
)
def test_failure_is_written_to_an_object(
    local_runtime: LocalRuntime, uri: str, content: bytes | None, message: str
) -> None:
    """The object at FailureLocation explains why a queued request failed (contract 7.5)."""
    if content:
        write_object(local_runtime, uri, content)
    response = invoke_async(local_runtime, InputLocation=uri)

    assert message in local_runtime.wait_for_object(response["FailureLocation"]).decode()
    assert not local_runtime.object_path(response["OutputLocation"]).exists()


def test_output_that_cannot_be_written(local_runtime: LocalRuntime) -> None:
    """If the output cannot be written, the object at FailureLocation says so."""
    first = invoke_async(local_runtime, Body=BODY, S3OutputPathExtension="a", Filename="x")
    local_runtime.wait_for_object(first["OutputLocation"])
    second = invoke_async(local_runtime, Body=BODY, S3OutputPathExtension="a/x", Filename="y")

    assert "a/x" in local_runtime.wait_for_object(second["FailureLocation"]).decode()


def test_response_without_content_length_fails(faulty_runtime: LocalRuntime) -> None:
    """A chunked response is an error, as in SageMaker (contract 7.2)."""
    response = invoke_async(faulty_runtime, Body=b"chunks end")
    failure = faulty_runtime.wait_for_object(response["FailureLocation"]).decode()

    assert "required Content-Length header" in failure


def test_timeout_of_asynchronous_inference(faulty_runtime: LocalRuntime) -> None:
    """InvocationTimeoutSeconds applies, not the timeout of synchronous requests (contract 7.1)."""
    patient = invoke_async(faulty_runtime, Body=b"sleep 1.5")
    hasty = invoke_async(faulty_runtime, Body=b"sleep 3", InvocationTimeoutSeconds=1)

    assert faulty_runtime.wait_for_object(patient["OutputLocation"]) == b"late"
    assert "timed out" in faulty_runtime.wait_for_object(hasty["FailureLocation"]).decode()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "expected exactly one of InputLocation and a body, got neither"),
        (
            {"InputLocation": "s3://in/x", "Body": BODY},
            "expected exactly one of InputLocation and a body, got both",
        ),
        ({"Body": b"x" * 128_001}, "expected at most 128,000 bytes, got 128,001"),
        ({"InputLocation": "x"}, "InputLocation: expected a match of"),
        ({"Body": BODY, "S3OutputPathExtension": "../../x"}, "expected s3://BUCKET/KEY"),
    ],
)
def test_invalid_parameters_are_rejected(
    local_runtime: LocalRuntime, parameters: dict[str, Any], message: str
) -> None:
    """A request that SageMaker would reject is not queued; no file leaves the S3 folder."""
    with pytest.raises(ClientError) as caught:
        local_runtime.create_client().invoke_endpoint_async(
            **{"EndpointName": "local", "ContentType": "text/csv", **parameters}
        )

    assert type(caught.value).__name__ == "ValidationError"
    assert message in caught.value.response["Error"]["Message"]
