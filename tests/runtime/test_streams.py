"""InvokeEndpointWithResponseStream, read by botocore's own event stream parser."""

from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.support.diamonds import CSV
from tests.support.local_runtime import LocalRuntime
from tests.support.server import Server


def open_stream(runtime: LocalRuntime, body: bytes, **parameters: Any) -> dict[str, Any]:
    response: dict[str, Any] = runtime.create_client().invoke_endpoint_with_response_stream(
        EndpointName="local", ContentType="text/csv", Body=body, **parameters
    )
    return response


def collect_parts(response: dict[str, Any], parts: list[bytes]) -> None:
    """Append the parts to a list, including those before an error, and close the stream."""
    with closing(response["Body"]) as events:
        for event in events:
            parts += [event["PayloadPart"]["Bytes"]]


def test_parts_form_the_response(local_runtime: LocalRuntime, diamonds: Server) -> None:
    """The parts of a large response are the bytes that the container streams (contract 7.14)."""
    body = (CSV.strip() + "\n").encode() * 4000
    response = open_stream(local_runtime, body, Accept="text/csv; stream=true")
    parts = [event["PayloadPart"]["Bytes"] for event in response["Body"]]

    assert len(parts) > 1
    assert b"".join(parts) == diamonds.post(body, Accept="text/csv; stream=true").content
    assert response["ContentType"] == "text/csv"
    assert response["InvokedProductionVariant"] == "AllTraffic"


def test_error_before_the_first_part(local_runtime: LocalRuntime) -> None:
    """An error before the first part is an ordinary ModelError."""
    with pytest.raises(ClientError) as caught:
        open_stream(local_runtime, b"1,2\n")

    assert type(caught.value).__name__ == "ModelError"
    assert caught.value.response["OriginalStatusCode"] == 400


@pytest.mark.parametrize(
    ("ending", "message"), [("break", "before the end of the response"), ("sleep", "timed out")]
)
def test_incomplete_stream(faulty_runtime: LocalRuntime, ending: str, message: str) -> None:
    """The caller gets the parts received so far, then a ModelStreamError."""
    parts: list[bytes] = []
    with pytest.raises(EventStreamError) as caught:
        collect_parts(open_stream(faulty_runtime, f"chunks {ending}".encode()), parts)

    assert b"".join(parts) == b"onetwo"
    assert caught.value.response["Error"]["Code"] == "ModelStreamError"
    assert message in caught.value.response["Error"]["Message"]
