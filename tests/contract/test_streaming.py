"""Contract 7.2 and 7.14: large replies in slices for who asks, and whole for everybody else."""

import socket

import numpy as np
import pytest
import requests

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import error_of, strict
from tests.support.server import Server, running

TIMES = 40_000
LARGE = (CSV * TIMES).encode()
STREAMED = {"Accept": "text/csv; stream=true"}


def head_of(body: bytes, accept: str, version: str = "1.1") -> bytes:
    return (
        f"POST /invocations HTTP/{version}\r\nHost: x\r\nContent-Type: text/csv\r\nAccept: {accept}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("accept", ["text/csv", "application/jsonlines"])
def test_large_replies_in_slices_for_who_asks(diamonds: Server, accept: str) -> None:
    """7.14: a parameter of Accept has a large reply of a line format sent in chunks, the same bytes as without it."""
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
            np.array(streamed.text.splitlines(), np.float32), np.tile(expected(), TIMES)
        )


@pytest.mark.parametrize(
    ("body", "accept"),
    [
        (CSV.encode(), "text/csv; stream=true"),
        (LARGE, "text/csv"),
        (LARGE, "text/csv; stream=false"),
        (LARGE, "application/json; stream=true"),
    ],
    ids=["small", "not asked for", "asked not to", "no lines"],
)
def test_every_other_reply_has_its_length(diamonds: Server, body: bytes, accept: str) -> None:
    """7.2: the platform refuses chunked replies where it does not stream, so only large ones that were asked for are."""
    reply = diamonds.post(body, Accept=accept)

    assert int(reply.headers["Content-Length"]) == len(reply.content)
    assert "Transfer-Encoding" not in reply.headers


def test_a_caller_without_chunks_gets_the_whole(diamonds: Server) -> None:
    """7.14: HTTP/1.0 could not tell a reply that broke off from a whole one."""
    with socket.create_connection(diamonds.address, timeout=60) as connection:
        connection.sendall(head_of(LARGE, "text/csv; stream=true", "1.0") + LARGE)
        head, _, body = all_of(connection).partition(b"\r\n\r\n")

    assert f"content-length: {len(body)}".encode() in head.lower()
    assert body.count(b"\n") == LARGE.count(b"\n")


def test_the_setting_streams_for_everybody() -> None:
    """7.14: SERVE_STREAMING=true does without the parameter; a row-error mode goes with it."""
    with running(ARTIFACT, SERVE_STREAMING="true", SERVE_ROW_ERRORS="true") as server:
        reply = server.post(LARGE + b"bad\n")
        small = server.post(CSV)

    assert reply.headers["Transfer-Encoding"] == "chunked"
    assert reply.text.splitlines()[-1] == "ERROR"
    assert reply.text.count("\n") == LARGE.count(b"\n") + 1
    assert "Content-Length" in small.headers
    assert [each["bad_records"] for each in server.events() if each["event"] == "row errors"] == [1]


def test_a_failure_in_the_first_slice_is_an_error(diamonds: Server) -> None:
    """3.10 and 7.14: what fails before the status is sent has its proper status."""
    reply = diamonds.post(b"secret,1\n" + LARGE, **STREAMED)

    assert reply.status_code == 400
    assert "row 1" in error_of(reply)


def test_a_failure_in_a_later_slice_breaks_the_stream_off() -> None:
    """7.14: predictions leave before the last can be made; a reply that cannot be finished is never taken for a whole one."""
    with running(ARTIFACT) as server:
        with socket.create_connection(server.address, timeout=60) as connection:
            body = LARGE + b"secret,1\n"
            connection.sendall(head_of(body, "text/csv; stream=true") + body)
            reply = all_of(connection)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            server.post(body, **STREAMED)
        alive = requests.get(f"{server.url}/ping", timeout=5)

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert reply.count(b"\n") > TIMES
    assert not reply.endswith(b"0\r\n\r\n")
    assert alive.status_code == 200
    broken = [each for each in server.events() if each["event"] == "stream aborted"]
    assert len(broken) == 2
    assert broken[0]["level"] == "WARNING"
    assert broken[0]["error"] == "SchemaMismatch"
    assert f"row {TIMES * 10 + 1}" in broken[0]["reason"]
    words = "".join(server.output)
    assert "secret" not in words
    assert "Traceback" not in words


def test_callers_that_leave_or_read_slowly_hold_nobody_up() -> None:
    """2.3 and 7.14: a stream waits for its reader without a thread, and ends with its caller; others are answered meanwhile."""
    with running(
        ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1", SAGEMAKER_MODEL_JOB_QUEUE_SIZE="8"
    ) as server:
        slow = [socket.create_connection(server.address, timeout=60) for _ in range(4)]
        for connection in slow:
            connection.sendall(head_of(LARGE, "text/csv; stream=true") + LARGE)
            connection.recv(100)
        small = server.post(CSV)
        for connection in slow[1:]:
            connection.close()
        rest = all_of(slow[0])
        slow[0].close()
        afterwards = server.post(LARGE)

    assert strict(small.text.splitlines()[0]) == pytest.approx(float(expected()[0]))
    assert rest.endswith(b"0\r\n\r\n")
    assert afterwards.status_code == 200


def all_of(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    pieces = []
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)
