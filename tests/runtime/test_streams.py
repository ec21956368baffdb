"""InvokeEndpointWithResponseStream, whose event stream botocore's own parser reads."""

from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.support.diamonds import CSV
from tests.support.local_runtime import Runtime
from tests.support.server import Server


def stream(local: Runtime, body: bytes, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = local.client().invoke_endpoint_with_response_stream(
        EndpointName="local", ContentType="text/csv", Body=body, **parameters
    )
    return answer


def collect(answer: dict[str, Any], parts: list[bytes]) -> None:
    """Put parts into a list, which has those that came before a failure too, and close the stream, which a failure leaves open."""
    with closing(answer["Body"]) as events:
        for event in events:
            parts += [event["PayloadPart"]["Bytes"]]


def test_parts_make_up_the_reply(local: Runtime, diamonds: Server) -> None:
    """The parts of a large streamed reply are the bytes that the container streams (contract 7.14)."""
    body = (CSV.strip() + "\n").encode() * 4000
    answer = stream(local, body, Accept="text/csv; stream=true")
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]

    assert len(parts) > 1
    assert b"".join(parts) == diamonds.post(body, Accept="text/csv; stream=true").content
    assert answer["ContentType"] == "text/csv"
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_a_refusal_before_the_first_part(local: Runtime) -> None:
    """What fails before the first part is an ordinary ModelError."""
    with pytest.raises(ClientError) as caught:
        stream(local, b"1,2\n")

    assert type(caught.value).__name__ == "ModelError"
    assert caught.value.response["OriginalStatusCode"] == 400


@pytest.mark.parametrize(("end", "words"), [("break", "broke off"), ("sleep", "timed out")])
def test_a_stream_that_does_not_end(odd: Runtime, end: str, words: str) -> None:
    """What came is handed over, and then ModelStreamError tells that it is not the whole."""
    parts: list[bytes] = []
    with pytest.raises(EventStreamError) as caught:
        collect(stream(odd, f"chunks {end}".encode()), parts)

    assert b"".join(parts) == b"onetwo"
    assert caught.value.response["Error"]["Code"] == "ModelStreamError"
    assert words in caught.value.response["Error"]["Message"]
