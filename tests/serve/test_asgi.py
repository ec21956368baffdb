"""What only the ASGI front end promises."""

import json
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.diamonds import ARTIFACT, CSV
from tests.support.server import running

WHOLE = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()


def test_both_workers_get_connections() -> None:
    """7.6: connections that arrive together are shared out, so that no processor is left idle."""
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="2") as server:
        assert server.process
        workers = listening(server.process.pid, 2)
        kept = [socket.create_connection(server.address, timeout=10) for _ in range(32)]
        for connection in kept:
            connection.sendall(WHOLE)
        for connection in kept:
            assert connection.recv(12) == b"HTTP/1.1 200"
        held = {worker: connections_of(worker, kept) for worker in workers}
        for connection in kept:
            connection.close()

    assert sum(held.values()) == 32
    assert min(held.values()) >= 4


@pytest.mark.parametrize("sent", [0, 41], ids=["before the body", "in the body"])
def test_a_caller_that_hangs_up_takes_nothing_with_it(sent: int) -> None:
    """1.7: callers who hang up before their body is whole leave no connection open in the worker."""
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 100\r\n\r\n"
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        assert server.process
        [worker] = (
            Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
            .read_text()
            .split()
        )
        before = sockets_of(worker)
        for _ in range(20):
            with socket.create_connection(server.address, timeout=10) as connection:
                connection.sendall(head + CSV.encode()[:sent])
        assert server.post(CSV).ok  # so that those before it were accepted
        deadline = time.monotonic() + 10
        while sockets_of(worker) > before and time.monotonic() < deadline:
            time.sleep(0.05)

        assert sockets_of(worker) <= before


def test_a_caller_that_is_gone_before_its_error() -> None:
    """1.7: what is no HTTP, from a caller that is gone at once, is a line of the log, and no traceback."""
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        for _ in range(20):
            with socket.create_connection(server.address, timeout=10) as connection:
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )  # a reset at the close
                connection.sendall(b"GET /ping\r\n\r\n")
        assert server.post(CSV).ok
    told = server.events()

    assert any("Invalid request" in event["event"] for event in told)
    assert not any("Traceback" in json.dumps(event) or event["level"] == "ERROR" for event in told)


def listening(pid: int, count: int) -> list[str]:
    """Return the workers of a server once so many wait for connections."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len([worker for worker in workers if waits_for_connections(worker)]) == count:
            return workers
        time.sleep(0.05)
    raise TimeoutError(f"not {count} workers of {pid} wait for connections")


def waits_for_connections(pid: str) -> bool:
    """Tell whether a process has an event loop that waits for the socket of all workers, beside its own."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            if "eventpoll" in str(link.readlink()):
                return Path(f"/proc/{pid}/fdinfo/{link.name}").read_text().count("tfd:") > 1
    return False


def sockets_of(pid: str) -> int:
    """Return how many sockets a process of this machine holds."""
    held = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            held += "socket" in str(link.readlink())
    return held


def connections_of(pid: str, connections: list[socket.socket]) -> int:
    """Return how many of these connections a process of this machine holds the other end of."""
    inodes = {
        link.readlink().name
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if "socket" in str(link.readlink())
    }
    ours = {f"{connection.getsockname()[1]:04X}" for connection in connections}
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(f"socket:[{row[9]}]" in inodes for row in table if row[2].partition(":")[2] in ours)
