"""Contract 3: responses count in the limit on memory until they are sent."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.responses import error_of, scores
from tests.support.server import Server, running

CLASSES = 200
BOOSTER = train(
    random_features(1_000, 3, seed=4),
    np.arange(1_000) % CLASSES,
    rounds=1,
    objective="multi:softprob",
    num_class=CLASSES,
)
ROW = b"1,2,3\n"
# About 2.4 KB of response each. Two responses of 8,000 rows exceed 32 MiB, four times the limit.
ROWS, TOO_MANY_ROWS = 8_000, 20_000
# How long a server may take to notice that a client has left.
NOTICED_SECONDS = 20
# Only a payload of more than 1 MiB has a streamed response.
LONG_ROW = b"1.%0100d,2,3\n" % 0


@pytest.fixture(scope="module")
def server(front_end: str, models: Path) -> Iterator[Server]:
    folder = save_artifact(BOOSTER, models / f"responses-{front_end}")
    with running(folder, SERVE_MAX_HELD_IN_MB="8") as running_server:
        yield running_server


@contextmanager
def send_without_reading(server: Server, rows: int) -> Iterator[socket.socket]:
    """Send an invocation, and yield the connection once the response has begun."""
    with socket.socket() as connection:
        _send(server, connection, rows)
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield connection


def _send(server: Server, connection: socket.socket, rows: int) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.settimeout(60)
    connection.connect(server.address)
    body = ROW * rows
    connection.sendall(
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body
    )


def read_all(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.read()


def test_responses_that_nobody_reads_are_limited(server: Server) -> None:
    """3.15: large responses that wait for their clients make a further one a 503, not a crash."""
    with send_without_reading(server, ROWS) as slow:
        rejected = server.post(ROW * ROWS)
        small = server.post(ROW)
        response = read_all(slow)
    retried = server.post(ROW * ROWS)

    assert rejected.status_code == 503
    assert rejected.headers["Retry-After"] == "1"
    assert "SERVE_MAX_HELD_IN_MB" in error_of(rejected)
    expected = predict_with_xgboost(BOOSTER, np.array([[1, 2, 3]]))
    np.testing.assert_array_equal(scores(small), expected)
    np.testing.assert_array_equal(scores(retried), np.repeat(expected, ROWS, axis=0))
    assert response.partition(b"\r\n\r\n")[2] == retried.content


def test_a_client_that_leaves_frees_the_memory_of_its_response(server: Server) -> None:
    """3.15: a response that its client does not read any longer soon counts no longer."""
    for _ in range(3):
        with send_without_reading(server, ROWS):
            pass
        deadline = time.monotonic() + NOTICED_SECONDS
        while server.post(ROW * ROWS).status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert server.post(ROW * ROWS).status_code == 200


def test_a_response_beyond_the_memory_is_413(server: Server) -> None:
    """3.11: a response that would never fit is a 413 with the setting, unless it is streamed."""
    response = server.post(LONG_ROW * TOO_MANY_ROWS)
    streamed = server.post(LONG_ROW * TOO_MANY_ROWS, Accept="text/csv; stream=true")

    assert response.status_code == 413
    assert "SERVE_MAX_HELD_IN_MB" in error_of(response)
    assert "stream" in error_of(response)
    assert streamed.status_code == 200
    assert streamed.content.count(b"\n") == TOO_MANY_ROWS
