"""Contract 3: payloads that would not fit in memory are rejected before they are sent."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server, running

MIB = 1 << 20


@pytest.fixture(scope="module")
def server(front_end: str) -> Iterator[Server]:
    with running(ARTIFACT, SERVE_MAX_HELD_IN_MB="2") as running_server:
        yield running_server


@pytest.fixture(autouse=True)
def _free_memory(server: Server) -> None:
    """Wait until the server has noticed that the clients of the previous test are gone."""
    deadline = time.monotonic() + 20
    while server.post(b"1\n" * (15 * MIB // 16)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.1)


def head(framing: str) -> bytes:
    return f"POST /invocations HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode()


def read_response(connection: socket.socket) -> tuple[int, str]:
    """Return the status and the body of a response on a connection that stays open."""
    response = b""
    while not response.endswith(b"}\n"):
        piece = connection.recv(65536)
        assert piece, response
        response += piece
    start, _, body = response.decode().partition("\r\n\r\n")
    return int(start.split()[1]), body


@pytest.mark.parametrize("framing", ["Content-Length: 1048576", "Transfer-Encoding: chunked"])
def test_a_full_memory_is_503_before_the_body_is_sent(server: Server, framing: str) -> None:
    """3.15: payloads beyond the limit get status 503 at their head; others are unaffected."""
    part = b"1" * (MIB // 2)
    with ExitStack() as stack:
        for _ in range(3):
            # A client that is still sending its body holds the bytes that it announced.
            connection = stack.enter_context(socket.create_connection(server.address, timeout=20))
            connection.sendall(head(f"Content-Length: {600 * 1024}") + part)
        time.sleep(0.5)
        late = stack.enter_context(socket.create_connection(server.address, timeout=20))
        late.sendall(head(framing))
        if "chunked" in framing:
            late.sendall(f"{MIB:x}\r\n".encode() + part)
        status, body = read_response(late)
        small = server.post(CSV)

    assert status == 503
    assert strict(body)["error"] == "Overloaded"
    assert "SERVE_MAX_HELD_IN_MB" in strict(body)["message"]
    np.testing.assert_array_equal(scores(small), expected())


def test_a_sender_that_does_not_wait_reads_its_503(server: Server) -> None:
    """3.11: a client that sends its whole body first gets the 503, and may go on."""
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(server.address, timeout=20))
        connection.sendall(head(f"Content-Length: {3 * MIB // 2}"))
        time.sleep(0.5)
        rejected = [server.post(b"1\n" * (MIB // 2)) for _ in range(3)]

    assert {response.status_code for response in rejected} == {503}
    assert {response.headers["Retry-After"] for response in rejected} == {"1"}


def test_a_payload_beyond_the_memory_is_413(server: Server) -> None:
    """3.11: a payload that would never fit is a 413 that names the setting; then memory is free."""
    large = CSV.encode() * (3 * MIB // len(CSV))
    for body in (large, iter([large])):
        response = server.post(body)

        assert response.status_code == 413
        assert "expected at most 2,097,152 bytes" in error_of(response)
        assert "SERVE_MAX_HELD_IN_MB" in error_of(response)
    for _ in range(5):
        fits = CSV.encode() * (3 * MIB // 2 // len(CSV))
        assert len(scores(server.post(fits))) == fits.count(b"\n")
        streamed = server.post(fits, Accept="text/csv; stream=true")
        assert streamed.headers.get("Transfer-Encoding") == "chunked"
        assert len(scores(streamed)) == fits.count(b"\n")
