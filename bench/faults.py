"""The fault cases of record 9: what callers get who misbehave, under each worker class that could carry the ASGI front end.

Usage: faults.py [WORKER_CLASS ...], with an interpreter that has them; it takes a minute for each.
"""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from bench.places import ROOT
from container.local_server import free_port

WORKERS = (
    "container.asgi_worker.AsgiWorker",
    "gunicorn.workers.gasgi.ASGIWorker",
    "uvicorn_worker.UvicornWorker",
)
ROW = b"0.56,Ideal,E,VS1,62.7,56.0,5.26,5.3,3.31\n"
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(ROW) + ROW
START_SECONDS, PATIENCE_SECONDS, LOAD_SECONDS, STOP_SECONDS = 20.0, 40.0, 1.0, 40.0
CALLERS, KEPT = 16, 8

# What is sent, and whether the caller then closes its half.
CASES: dict[str, tuple[bytes, bool]] = {
    "nothing": (b"", False),
    "half a head": (HEAD[:30], False),
    "half a body": (WHOLE[:-10], False),
    "half a body, and the end": (WHOLE[:-10], True),
    "a whole request, and the end": (WHOLE, True),
    "a header of 9,000 bytes": (
        b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        False,
    ),
    "Content-Length and Transfer-Encoding": (
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        True,
    ),
    "two hosts": (b"GET /ping HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n", False),
    "a chunk that is none": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", False),
}


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    port: int
    process: "subprocess.Popen[bytes]"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)


def main() -> None:
    """Print a row for each case, a column for each worker class."""
    names = sys.argv[1:] or WORKERS
    columns = [outcomes(name) for name in names]
    print("| case |", " | ".join(name.rpartition(".")[2] for name in names), "|")
    print("| --- " * (len(names) + 1) + "|")
    for case in columns[0]:
        print(f"| {case} |", " | ".join(column[case] for column in columns), "|")


def outcomes(worker_class: str) -> dict[str, str]:
    """Return what became of each case."""
    with serving(worker_class) as served, ThreadPoolExecutor(len(CASES)) as pool:
        found = dict(
            zip(CASES, pool.map(lambda case: outcome(served, *case), CASES.values()), strict=True)
        )
    with serving(worker_class) as served:
        found[f"SIGTERM with {KEPT} idle connections"] = (
            f"stopped after {stop_with_idle_connections(served):.1f} s"
        )
    with serving(worker_class) as served:
        found[f"SIGTERM under {CALLERS} callers, a connection each request"] = lost(served)
    return found


def outcome(served: Served, sent: bytes, ended: bool) -> str:  # noqa: FBT001  # a column of the table above
    """Return what comes back on a connection, and how long that took where it was long."""
    started = time.monotonic()
    with served.connect() as connection:
        connection.sendall(sent)
        if ended:
            connection.shutdown(socket.SHUT_WR)
        try:
            reply = connection.recv(65536)
        except TimeoutError:
            return f"open after {PATIENCE_SECONDS:.0f} s"
        except OSError as error:
            return f"{error.strerror}"
    seconds = time.monotonic() - started
    said = reply.split(b" ", 2)[1].decode() if reply.startswith(b"HTTP/") else "closed"
    return said + (f" after {seconds:.0f} s" if seconds > 1 else "")


def stop_with_idle_connections(served: Served) -> float:
    """Return the seconds that a stop takes while callers keep connections that were used once."""
    with ExitStack() as stack:
        kept = [stack.enter_context(served.connect()) for _ in range(KEPT)]
        for connection in kept:
            connection.sendall(WHOLE)
            connection.recv(65536)
        return stop(served)


def lost(served: Served) -> str:
    """Return how many requests that were sent before the signal to stop were not answered."""
    answered: list[tuple[float, bool]] = []
    callers = [
        threading.Thread(target=call_until_refused, args=(served, answered)) for _ in range(CALLERS)
    ]
    for caller in callers:
        caller.start()
    time.sleep(LOAD_SECONDS)
    signalled = time.monotonic()
    stop(served)
    for caller in callers:
        caller.join()
    before = [well for sent, well in answered if sent < signalled]
    return f"{before.count(False)} of {len(before)} lost"


def call_until_refused(served: Served, answered: list[tuple[float, bool]]) -> None:
    request = WHOLE.replace(b"Host: x", b"Host: x\r\nConnection: close")
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            connection = served.connect()
        except OSError:
            return
        with connection:
            sent, reply = float("inf"), b""
            with suppress(OSError):
                connection.sendall(request)
                sent = time.monotonic()
                reply = connection.recv(65536)
            answered.append((sent, reply.startswith(b"HTTP/1.1 200")))


def stop(served: Served) -> float:
    """Stop a server as the platform does; return the seconds that took."""
    started = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(STOP_SECONDS)
    return time.monotonic() - started


@contextmanager
def serving(worker_class: str) -> Iterator[Served]:
    """Run the ASGI front end under a worker class until the end of the block."""
    port = free_port()
    command = [sys.executable, "-m", "bench.programs.worker", worker_class, str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    served = Served(port, process)
    try:
        wait_until(lambda: outcome(served, WHOLE, ended=False) == "200")
        yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            if ready():
                return
        time.sleep(0.1)
    raise RuntimeError("the server does not answer")


if __name__ == "__main__":
    main()
