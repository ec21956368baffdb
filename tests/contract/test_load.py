"""Contract 1.7, 2.3 and 3.15: many clients, slow clients and pipelined requests."""

import signal
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import error_of, scores
from tests.support.server import Server, free_port, running, start, stop, wait_until_ready

LARGE = CSV * 8_000
COMPLETE_REQUEST = (
    f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()
)
PREDICTIONS = CSV.count("\n")


def receive_lines(connection: socket.socket, body_lines: int) -> list[bytes]:
    """Return the lines of a response whose body has this many lines."""
    response = b""
    while response.partition(b"\r\n\r\n")[2].count(b"\n") < body_lines:
        response += connection.recv(65536)
    return response.splitlines()


def receive_all(connection: socket.socket) -> bytes:
    """Return everything received until the server closes the connection."""
    response = b""
    while piece := connection.recv(65536):
        response += piece
    return response


def test_full_queue_is_503() -> None:
    """3.15: long invocations beyond the limit get status 503 and Retry-After; others succeed."""
    with running(
        ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1", SAGEMAKER_MODEL_JOB_QUEUE_SIZE="2"
    ) as server:
        responses: list[requests.Response] = []
        clients = [
            threading.Thread(target=lambda: responses.append(server.post(LARGE))) for _ in range(12)
        ]
        for client in clients:
            client.start()
        row = CSV.splitlines()[0]
        short = [server.post(row) for _ in range(20)]
        for client in clients:
            client.join()
        afterwards = server.post(LARGE)

    assert {response.status_code for response in short} == {200}
    statuses = {response.status_code for response in responses}
    assert statuses == {200, 503}
    for response in [*responses, afterwards]:
        if response.status_code == 503:
            assert response.headers["Retry-After"] == "1"
            assert "the queue is full" in error_of(response)
        else:
            np.testing.assert_array_equal(scores(response), np.tile(expected(), 8_000))
    assert afterwards.status_code == 200


def test_slow_readers_do_not_delay_others() -> None:
    """2.3: clients that do not read large responses delay neither pings nor invocations."""
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


def test_half_closed_connection_gets_response(diamonds: Server) -> None:
    """3.1: a client that closes its sending half after the request still gets the response."""
    with socket.create_connection(diamonds.address, timeout=10) as connection:
        connection.sendall(COMPLETE_REQUEST)
        connection.shutdown(socket.SHUT_WR)
        response = receive_all(connection)

    assert response.startswith(b"HTTP/1.1 200 ")
    assert response.count(b"\n") >= 10


def test_pipelined_requests_on_half_closed_connection(diamonds: Server) -> None:
    """3.1: all pipelined requests get responses, even if the client closes its sending half."""
    with socket.create_connection(diamonds.address, timeout=10) as connection:
        connection.sendall(COMPLETE_REQUEST * 3)
        connection.shutdown(socket.SHUT_WR)
        response = receive_all(connection)

    assert response.count(b"HTTP/1.1 200 ") == 3


def test_pipelined_responses_are_in_order(diamonds: Server) -> None:
    """3.1: responses to pipelined requests are sent in the order of the requests."""
    ping = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(diamonds.address, timeout=10) as connection:
        connection.sendall(
            COMPLETE_REQUEST
            + ping
            + COMPLETE_REQUEST.replace(b"Host: x", b"Host: x\r\nConnection: close")
        )
        response = receive_all(connection)

    assert response.count(b"HTTP/1.1 200 ") == 3
    assert response.count(b"Content-Length: 0") == 1


@pytest.mark.parametrize("path", ["/invocations-bidirectional-stream", "/ping"])
def test_websockets_are_not_supported(diamonds: Server, path: str) -> None:
    """7.16: a request for bidirectional streaming is not upgraded, and the server keeps serving."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    )
    with socket.create_connection(diamonds.address, timeout=10) as connection:
        connection.sendall(f"{request}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        response = connection.recv(65536)

    assert not response.startswith(b"HTTP/1.1 101")
    assert diamonds.post(CSV).status_code == 200


def test_idle_connections_do_not_delay_shutdown() -> None:
    """1.3: idle connections close within seconds of SIGTERM, and serve requests until then."""
    port = free_port()
    process = start(ARTIFACT, port)
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server)
    idle = [socket.create_connection(server.address, timeout=10) for _ in range(4)]
    for connection in idle:
        connection.sendall(COMPLETE_REQUEST)
        assert receive_lines(connection, PREDICTIONS)[0].startswith(b"HTTP/1.1 200 ")
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    idle[0].sendall(COMPLETE_REQUEST)
    response = receive_all(idle[0])
    exit_code = process.wait(30)
    seconds = time.monotonic() - started
    for connection in idle:
        connection.close()
    stop(process)

    assert response.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in response
    assert exit_code == 0
    assert seconds < 8


def test_parallel_predictions_keep_row_order(tmp_path: Path) -> None:
    """5.9: slices predicted in parallel are returned in the order of the payload's rows."""
    booster = train(random_features(500, 30), rounds=60, max_depth=6)
    features = random_features(40_000, 30, seed=9)
    body = "\n".join(
        ",".join("" if value != value else repr(value) for value in row)  # noqa: PLR0124
        for row in features.tolist()
    )
    with running(save_artifact(booster, tmp_path)) as server:
        response = server.post(body)

    np.testing.assert_array_equal(scores(response), predict_with_xgboost(booster, features))
