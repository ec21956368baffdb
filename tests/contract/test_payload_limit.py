"""Contract 3: payloads beyond SAGEMAKER_MAX_PAYLOAD_IN_MB, with and without Expect."""

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server, running

MIB = 1 << 20
UNTIL_SECONDS = 20
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_PING = b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def server(front_end: str) -> Iterator[Server]:
    limits = {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "1", "SERVE_MAX_HELD_IN_MB": "1"}
    with running(ARTIFACT, **limits) as running_server:
        yield running_server


def connect(server: Server, *headers: str) -> socket.socket:
    """Return a connection on which the head of an invocation has been sent."""
    connection = socket.create_connection(server.address, timeout=10)
    head = ["POST /invocations HTTP/1.1", "Host: x", *headers, "\r\n"]
    connection.sendall("\r\n".join(head).encode())
    return connection


def read_all(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.read()


def post_until(server: Server, status: int, payload: str) -> bool:
    """Send a payload again and again; return whether a response had this status in time."""
    deadline = time.monotonic() + UNTIL_SECONDS
    while time.monotonic() < deadline:
        if server.post(payload).status_code == status:
            return True
        time.sleep(0.05)
    return False


def test_payload_over_limit_is_413(server: Server) -> None:
    """3.11 and 3.19: a client still sending gets status 413, with or without Content-Length."""
    large = CSV.encode() * 10_000
    with_length, chunked = server.post(large), server.post(iter([large]))
    just_fits = server.post(CSV + "\n" * (MIB - len(CSV)))
    one_more = server.post(CSV + "\n" * (MIB - len(CSV) + 1))

    assert [with_length.status_code, chunked.status_code, one_more.status_code] == [413] * 3
    assert "1,048,576" in error_of(with_length)
    assert f"{len(large):,}" in error_of(with_length)
    assert f"{len(large):,}" in error_of(chunked)
    np.testing.assert_array_equal(scores(just_fits), expected())


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_connection_closes_soon_after_a_413(server: Server, framing: str) -> None:
    """3.11: a request after a rejected body gets its response, and then the end it asked for."""
    length = f"Content-Length: {2 * MIB}"
    body = bytes(2 * MIB)
    if framing == "chunked":
        length = "Transfer-Encoding: chunked"
        body = f"{2 * MIB:x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    with connect(server, length) as connection:
        connection.sendall(body + LAST_PING)
        responses = read_all(connection)

    assert responses.startswith(b"HTTP/1.1 413 ")
    assert responses.count(b"HTTP/1.1 200 OK\r\n") == 1


@pytest.mark.parametrize("expect", ["100-continue", "100-Continue"])
def test_a_client_that_waits_gets_its_413_at_once(server: Server, expect: str) -> None:
    """3.11: with Expect, a payload that is too large is rejected before it is sent."""
    with connect(server, f"Content-Length: {MIB + 1}", f"Expect: {expect}") as connection:
        head, _, body = read_all(connection).decode().partition("\r\n\r\n")

    assert head.startswith("HTTP/1.1 413 ")
    assert head.lower().count("connection: close") == 1
    assert "SAGEMAKER_MAX_PAYLOAD_IN_MB" in strict(body)["message"]


def test_a_client_that_waits_gets_its_503_at_once(server: Server) -> None:
    """3.15: with Expect, a payload is rejected before it is sent if the memory is full."""
    length = f"Content-Length: {MIB}"
    # The memory of the previous test's payload may not be free yet.
    assert post_until(server, 200, CSV + "\n" * (MIB - len(CSV)))
    with connect(server, length) as sender:
        sender.sendall(b"1" * 1000)
        assert post_until(server, 503, CSV + "\n" * (MIB // 2))
        with connect(server, length, "Expect: 100-continue") as connection:
            response = read_all(connection)

    assert response.startswith(b"HTTP/1.1 503 ")
    assert CONTINUE not in response


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_client_that_waits_may_send_its_payload(server: Server, framing: str) -> None:
    """3.1: with Expect, an acceptable payload gets status 100 and then its response."""
    length, body = f"Content-Length: {len(CSV)}", CSV.encode()
    if framing == "chunked":
        length = "Transfer-Encoding: chunked"
        body = f"{len(CSV):x}\r\n{CSV}\r\n0\r\n\r\n".encode()
    with connect(server, length, "Content-Type: text/csv", "Expect: 100-continue") as connection:
        assert connection.recv(1024) == CONTINUE
        connection.sendall(body + LAST_PING)
        responses = read_all(connection)

    assert responses.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert CONTINUE not in responses
    np.testing.assert_array_equal(
        np.array(responses.split(b"\r\n\r\n")[1].split(b"HTTP/")[0].split(), np.float32),
        expected(),
    )


def test_a_client_that_waits_gets_other_errors_at_once(server: Server) -> None:
    """3.10: with Expect, a request that needs no body is answered without it."""
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(
            b"POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
