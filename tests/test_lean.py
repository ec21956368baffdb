"""What only the lean door promises."""

import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.diamonds import ARTEFACT, CSV
from tests.server import running

WHOLE = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()


def test_both_workers_get_connections() -> None:
    """7.6: connections that arrive together are shared out, so that no processor is left idle."""
    with running(ARTEFACT, SAGEMAKER_MODEL_SERVER_WORKERS="2") as server:
        assert server.process
        workers = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
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
    with running(ARTEFACT, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        assert server.process
        [worker] = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        before = sockets_of(worker)
        for _ in range(20):
            with socket.create_connection(server.address, timeout=10) as connection:
                connection.sendall(head + CSV.encode()[:sent])
        assert server.post(CSV).ok  # so that those before it were accepted
        deadline = time.monotonic() + 10
        while sockets_of(worker) > before and time.monotonic() < deadline:
            time.sleep(0.05)

        assert sockets_of(worker) <= before


def sockets_of(pid: str) -> int:
    """Return how many sockets a process of this machine holds."""
    held = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            held += "socket" in str(link.readlink())
    return held


def connections_of(pid: str, connections: list[socket.socket]) -> int:
    """Return how many of these connections a process of this machine holds the other end of."""
    inodes = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if "socket" in str(link.readlink())}
    ours = {f"{connection.getsockname()[1]:04X}" for connection in connections}
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(f"socket:[{row[9]}]" in inodes for row in table if row[2].partition(":")[2] in ours)
