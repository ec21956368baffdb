"""Contract 7.2 and 7.14: streamed responses for clients that request them."""

import socket

import numpy as np
import pytest
import requests

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import error_of, strict
from tests.support.server import Server, running

REPEATS = 8_000
LARGE = (CSV * REPEATS).encode()
# Its response does not fit into the sockets' buffers.
VERY_LARGE = (CSV * 40_000).encode()
STREAM_HEADERS = {"Accept": "text/csv; stream=true"}


def build_head(body: bytes, accept: str, version: str = "1.1") -> bytes:
    return (
        f"POST /invocations HTTP/{version}\r\nHost: x\r\nContent-Type: text/csv\r\n"
        f"Accept: {accept}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("accept", ["text/csv", "application/jsonlines"])
def test_accept_parameter_streams_large_response(diamonds: Server, accept: str) -> None:
    """7.14: with Accept: ...; stream=true, a large response is chunked and otherwise identical."""
    whole, streamed = (
        diamonds.post(LARGE, Accept=accept),
        diamonds.post(LARGE, Accept=f"{accept}; stream=true"),
    )

    assert "Content-Length" not in streamed.headers
    assert streamed.headers["Transfer-Encoding"] == "chunked"
    assert streamed.headers["Content-Type"] == accept
    assert "Transfer-Encoding" not in whole.headers
    assert streamed.content == whole.content
    if accept == "text/csv":
        np.testing.assert_array_equal(
            np.array(streamed.text.splitlines(), np.float32), np.tile(expected(), REPEATS)
        )


@pytest.mark.parametrize(
    ("body", "accept"),
    [
        (CSV.encode(), "text/csv; stream=true"),
        (LARGE, "text/csv"),
        (LARGE, "text/csv; stream=false"),
        (LARGE, "application/json; stream=true"),
    ],
    ids=["small", "default", "false", "json"],
)
def test_other_responses_have_content_length(diamonds: Server, body: bytes, accept: str) -> None:
    """7.2: only a large response requested as a stream is chunked, as SageMaker requires."""
    response = diamonds.post(body, Accept=accept)

    assert int(response.headers["Content-Length"]) == len(response.content)
    assert "Transfer-Encoding" not in response.headers


def test_http_1_0_response_is_not_chunked(diamonds: Server) -> None:
    """7.14: an HTTP/1.0 client, which could not detect an aborted stream, gets Content-Length."""
    with socket.create_connection(diamonds.address, timeout=60) as connection:
        connection.sendall(build_head(LARGE, "text/csv; stream=true", "1.0") + LARGE)
        head, _, body = receive_all(connection).partition(b"\r\n\r\n")

    assert f"content-length: {len(body)}".encode() in head.lower()
    assert body.count(b"\n") == LARGE.count(b"\n")


def test_streaming_setting() -> None:
    """7.14: SERVE_STREAMING=true streams without the parameter, and works with row errors."""
    with running(ARTIFACT, SERVE_STREAMING="true", SERVE_ROW_ERRORS="true") as server:
        response = server.post(LARGE + b"bad\n")
        small = server.post(CSV)

    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.text.splitlines()[-1] == "ERROR"
    assert response.text.count("\n") == LARGE.count(b"\n") + 1
    assert "Content-Length" in small.headers
    row_errors = [event for event in server.events() if event["event"] == "row errors"]
    assert [event["bad_records"] for event in row_errors] == [1]


def test_error_in_first_slice_has_its_status(diamonds: Server) -> None:
    """3.10 and 7.14: an error in the first slice of a stream gets its own status."""
    response = diamonds.post(b"secret,1\n" + LARGE, **STREAM_HEADERS)

    assert response.status_code == 400
    assert "row 1" in error_of(response)


def test_error_in_later_slice_aborts_stream() -> None:
    """7.14: an error in a later slice aborts the stream, which the client can detect."""
    with running(ARTIFACT) as server:
        with socket.create_connection(server.address, timeout=60) as connection:
            body = LARGE + b"secret,1\n"
            connection.sendall(build_head(body, "text/csv; stream=true") + body)
            response = receive_all(connection)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            server.post(body, **STREAM_HEADERS)
        alive = requests.get(f"{server.url}/ping", timeout=5)

    assert response.startswith(b"HTTP/1.1 200 ")
    assert response.count(b"\n") > REPEATS
    assert not response.endswith(b"0\r\n\r\n")
    assert alive.status_code == 200
    aborted = [event for event in server.events() if event["event"] == "stream aborted"]
    assert len(aborted) == 2
    assert aborted[0]["level"] == "WARNING"
    assert aborted[0]["error"] == "SchemaMismatch"
    assert f"row {REPEATS * 10 + 1}" in aborted[0]["reason"]
    log = "".join(server.output)
    assert "secret" not in log
    assert "Traceback" not in log


def test_slow_and_departed_readers_do_not_block_others() -> None:
    """2.3 and 7.14: a slow reader occupies no thread, and a disconnect ends its stream."""
    with running(
        ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1", SAGEMAKER_MODEL_JOB_QUEUE_SIZE="8"
    ) as server:
        slow = [socket.create_connection(server.address, timeout=60) for _ in range(3)]
        for connection in slow:
            connection.sendall(build_head(VERY_LARGE, "text/csv; stream=true") + VERY_LARGE)
            connection.recv(100)
        small = server.post(CSV)
        for connection in slow[1:]:
            connection.close()
        rest = receive_all(slow[0])
        slow[0].close()
        afterwards = server.post(LARGE)

    assert strict(small.text.splitlines()[0]) == pytest.approx(float(expected()[0]))
    assert rest.endswith(b"0\r\n\r\n")
    assert afterwards.status_code == 200


def receive_all(connection: socket.socket) -> bytes:
    """Return everything received until the server closes the connection."""
    chunks = []
    while chunk := connection.recv(1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)
