"""Connections of the ASGI front end."""

import json
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.diamonds import ARTIFACT, CSV
from tests.support.server import running

COMPLETE_REQUEST = (
    f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()
)


@pytest.mark.parametrize("front_end", ["asgi", "flask"])
def test_connections_are_balanced(front_end: str) -> None:
    """7.6: connections that arrive together are distributed over all workers."""
    with running(ARTIFACT, SERVE_FRONTEND=front_end, SAGEMAKER_MODEL_SERVER_WORKERS="2") as server:
        assert server.process
        workers = wait_for_listening_workers(server.process.pid, 2)
        connections = [socket.create_connection(server.address, timeout=10) for _ in range(32)]
        for connection in connections:
            connection.sendall(COMPLETE_REQUEST)
        for connection in connections:
            assert connection.recv(12) == b"HTTP/1.1 200"
        held = {worker: count_connections(worker, connections) for worker in workers}
        for connection in connections:
            connection.close()

    assert sum(held.values()) == 32
    assert min(held.values()) >= 4


@pytest.mark.parametrize("sent", [0, 41], ids=["before the body", "in the body"])
def test_disconnect_leaves_no_open_socket(sent: int) -> None:
    """1.7: a client that disconnects before its body is complete leaves no open connection."""
    head = (
        b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: text/csv\r\nContent-Length: 100\r\n\r\n"
    )
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        assert server.process
        [worker] = (
            Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
            .read_text()
            .split()
        )
        before = count_sockets(worker)
        for _ in range(20):
            with socket.create_connection(server.address, timeout=10) as connection:
                connection.sendall(head + CSV.encode()[:sent])
        assert server.post(CSV).ok  # the earlier connections have been accepted
        deadline = time.monotonic() + 10
        while count_sockets(worker) > before and time.monotonic() < deadline:
            time.sleep(0.05)

        assert count_sockets(worker) <= before


def test_disconnect_before_error_response() -> None:
    """1.7: invalid HTTP from a client that disconnects at once is logged without traceback."""
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        for _ in range(20):
            with socket.create_connection(server.address, timeout=10) as connection:
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )  # reset on close
                connection.sendall(b"GET /ping\r\n\r\n")
        assert server.post(CSV).ok
    events = server.events()

    assert any("Invalid request" in event["event"] for event in events)
    assert not any(
        "Traceback" in json.dumps(event) or event["level"] == "ERROR" for event in events
    )


def wait_for_listening_workers(pid: int, count: int) -> list[str]:
    """Wait until this many workers listen for connections; return their process ids."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len([worker for worker in workers if is_listening(worker)]) == count:
            return workers
        time.sleep(0.05)
    raise TimeoutError(f"expected {count} workers of {pid} to listen")


def is_listening(pid: str) -> bool:
    """Return whether a process's event loop polls the listening socket, besides its own."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime
            if "eventpoll" in str(link.readlink()):
                return Path(f"/proc/{pid}/fdinfo/{link.name}").read_text().count("tfd:") > 1
    return False


def count_sockets(pid: str) -> int:
    """Return how many sockets a process has open."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime
            count += "socket" in str(link.readlink())
    return count


def count_connections(pid: str, connections: list[socket.socket]) -> int:
    """Return how many of these connections a server process has accepted."""
    inodes = {
        link.readlink().name
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if "socket" in str(link.readlink())
    }
    ours = {f"{connection.getsockname()[1]:04X}" for connection in connections}
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # The kernel's table may list a socket twice while others open and close connections.
    accepted = {f"socket:[{row[9]}]" for row in table if row[2].partition(":")[2] in ours}
    return len(inodes & accepted)
