"""Contract 1.7, 2.3 and 3.15: callers that are many, slow or silent."""

import signal
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.boosters import numbers, predictions, saved, train
from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import error_of, scores
from tests.support.server import Server, free_port, running, start, stop, wait_until_ready

LARGE = CSV * 8_000
WHOLE = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()
PREDICTIONS = CSV.count("\n")


def lines_on(connection: socket.socket, after_head: int) -> list[bytes]:
    """Return the lines of a reply with so many lines after its head."""
    reply = b""
    while reply.partition(b"\r\n\r\n")[2].count(b"\n") < after_head:
        reply += connection.recv(65536)
    return reply.splitlines()


def reply_on(connection: socket.socket) -> bytes:
    """Return all that comes back until the other side closes, or until it is silent for too long."""
    reply = b""
    while piece := connection.recv(65536):
        reply += piece
    return reply


def test_a_full_queue_is_503() -> None:
    """3.15: what cannot wait is refused at once, with Retry-After, and what waits is answered."""
    with running(
        ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1", SAGEMAKER_MODEL_JOB_QUEUE_SIZE="2"
    ) as server:
        responses: list[requests.Response] = []
        callers = [
            threading.Thread(target=lambda: responses.append(server.post(LARGE))) for _ in range(12)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        afterwards = server.post(LARGE)

    statuses = {response.status_code for response in responses}
    assert statuses == {200, 503}
    for response in [*responses, afterwards]:
        if response.status_code == 503:
            assert response.headers["Retry-After"] == "1"
            assert "the queue is full" in error_of(response)
        else:
            np.testing.assert_array_equal(scores(response), np.tile(expected(), 8_000))
    assert afterwards.status_code == 200


def test_a_slow_reader_stalls_nobody() -> None:
    """2.3: callers that do not read their large replies hold up neither pings nor other invocations."""
    body = CSV * 20_000
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with running(ARTIFACT) as server:
        slow = [socket.create_connection(server.address, timeout=60) for _ in range(2)]
        for connection in slow:
            connection.sendall(head + body.encode())
        for connection in slow:
            assert connection.recv(12) == b"HTTP/1.1 200"
        started = time.monotonic()
        for _ in range(20):
            assert server.post(CSV).status_code == 200
            assert requests.get(f"{server.url}/ping", timeout=2).status_code == 200
        seconds = time.monotonic() - started
        for connection in slow:
            connection.close()

    assert seconds < 10


def test_a_caller_may_close_its_half_after_the_request(diamonds: Server) -> None:
    """3.1: what was sent whole is answered, also to a caller that says it will send no more."""
    with socket.create_connection(diamonds.address, timeout=10) as connection:
        connection.sendall(WHOLE)
        connection.shutdown(socket.SHUT_WR)
        reply = reply_on(connection)

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert reply.count(b"\n") >= 10


def test_pipelined_requests_before_the_end(diamonds: Server) -> None:
    """3.1: the same to a caller that then closes its half."""
    with socket.create_connection(diamonds.address, timeout=10) as connection:
        connection.sendall(WHOLE * 3)
        connection.shutdown(socket.SHUT_WR)
        reply = reply_on(connection)

    assert reply.count(b"HTTP/1.1 200 ") == 3


def test_pipelined_requests_are_answered_in_order(diamonds: Server) -> None:
    """3.1: requests that are sent without waiting are answered one after the other."""
    ping = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(diamonds.address, timeout=10) as connection:
        connection.sendall(
            WHOLE + ping + WHOLE.replace(b"Host: x", b"Host: x\r\nConnection: close")
        )
        reply = reply_on(connection)

    assert reply.count(b"HTTP/1.1 200 ") == 3
    assert reply.count(b"Content-Length: 0") == 1


@pytest.mark.parametrize("path", ["/invocations-bidirectional-stream", "/ping"])
def test_no_web_sockets(diamonds: Server, path: str) -> None:
    """7.16: without the label there is no bidirectional streaming, and asking for it breaks nothing."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    with socket.create_connection(diamonds.address, timeout=10) as connection:
        connection.sendall(f"{request}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        reply = connection.recv(65536)

    assert not reply.startswith(b"HTTP/1.1 101")
    assert diamonds.post(CSV).status_code == 200


def test_connections_that_are_kept_do_not_hold_the_stop() -> None:
    """1.3: idle connections end within seconds of the signal, and a request on one of them is answered until then."""
    port = free_port()
    process = start(ARTIFACT, port)
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server)
    kept = [socket.create_connection(server.address, timeout=10) for _ in range(4)]
    for connection in kept:
        connection.sendall(WHOLE)
        assert lines_on(connection, PREDICTIONS)[0].startswith(b"HTTP/1.1 200 ")
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    kept[0].sendall(WHOLE)
    reply = reply_on(kept[0])
    exit_code = process.wait(30)
    seconds = time.monotonic() - started
    for connection in kept:
        connection.close()
    stop(process)

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in reply
    assert exit_code == 0
    assert seconds < 8


def test_a_lone_large_payload_keeps_its_order(tmp_path: Path) -> None:
    """5.9: the slices of a payload, which several threads predict at once, come back in the order of its rows."""
    booster = train(numbers(500, 30), rounds=60, max_depth=6)
    features = numbers(40_000, 30, seed=9)
    body = "\n".join(
        ",".join("" if value != value else repr(value) for value in row)  # noqa: PLR0124
        for row in features.tolist()
    )
    with running(saved(booster, tmp_path)) as server:
        reply = server.post(body)

    np.testing.assert_array_equal(scores(reply), predictions(booster, features))
