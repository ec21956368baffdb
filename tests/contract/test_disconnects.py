"""Contract 3: clients that leave before they have their response."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.server import Server, running

WIDTH = 4
# Large enough for several slices, each of which takes about half a second with deep trees.
ROWS = 400_000
BOOSTER = train(random_features(2000, WIDTH, seed=1), rounds=1200, max_depth=10, eta=0.01)
LINES = [",".join(map(str, row)) for row in random_features(100, WIDTH, missing=0).tolist()]
BODY = ("\n".join(LINES) + "\n").encode() * (ROWS // 100)


@pytest.fixture(scope="module")
def server(front_end: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = save_artifact(BOOSTER, tmp_path_factory.mktemp(f"disconnects-{front_end}"))
    with running(folder) as running_server:
        yield running_server


def head(body: bytes, version: str = "1.1", accept: str = "text/csv") -> bytes:
    lines = [f"POST /invocations HTTP/{version}", "Host: x", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "Content-Type: text/csv", f"Accept: {accept}", "", ""]).encode()


def close(connection: socket.socket) -> None:
    connection.close()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for_event(server: Server, request_id: str) -> dict[str, object]:
    """Return the event with a request ID, as soon as the running server logs it."""
    assert server.process
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # A new file description, because the server writes at the position of its own.
        log = Path(f"/proc/self/fd/{server.process.output.fileno()}").read_text()
        for line in log.splitlines():
            if request_id in line:
                event: dict[str, object] = json.loads(line)
                return event
        time.sleep(0.1)
    pytest.fail(f"no event of request {request_id}")


@pytest.mark.parametrize(
    ("leave", "accept"),
    [(close, "text/csv"), (reset, "application/json"), (close, "text/csv; stream=true")],
)
def test_work_for_a_client_that_left_is_abandoned(
    server: Server, leave: Callable[[socket.socket], None], accept: str
) -> None:
    """3.13: if a client disconnects, its invocation ends at the next slice, with a log event."""
    request_id = f"{leave.__name__}-{abs(hash((accept, server.url)))}"
    request = head(BODY, accept=accept).replace(
        b"\r\nHost", f"\r\nX-Request-Id: {request_id}\r\nHost".encode()
    )
    connection = socket.create_connection(server.address, timeout=60)
    connection.sendall(request + BODY)
    time.sleep(0.2)  # the server has the body
    leave(connection)
    event = wait_for_event(server, request_id)

    assert event["status"] == 499
    assert event["error"] == "ClientDisconnected"
    assert event["payload_bytes"] == len(BODY)
    assert "traceback" not in event


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_client_that_closes_its_sending_half_gets_its_response(
    server: Server, version: str
) -> None:
    """3.13: a client that only finished sending gets its response, however long it takes."""
    response = b""
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall(head(BODY, version) + BODY)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(1 << 20):
            response += piece
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    status, _, rest = response.removeprefix(interim).partition(b" ")
    predictions = rest.partition(b"\r\n\r\n")[2].split()
    expected = predict_with_xgboost(BOOSTER, np.array([line.split(",") for line in LINES], float))

    assert status == f"HTTP/{version}".encode()
    assert rest.startswith(b"200 ")
    assert response.startswith(interim) <= (version == "1.1")
    assert len(predictions) == ROWS
    np.testing.assert_array_equal(np.array(predictions[-100:], dtype=np.float32), expected)
