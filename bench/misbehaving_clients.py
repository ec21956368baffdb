"""How each gunicorn worker class for the ASGI front end handles clients that misbehave.

Source: decision 9, docs/decisions. Takes about a minute per worker class.
Usage: misbehaving_clients.py [WORKER_CLASS ...]
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

from bench.paths import ROOT
from container.local_server import free_port

WORKER_CLASSES = (
    "container.asgi_server.worker.AsgiWorker",
    "gunicorn.workers.gasgi.ASGIWorker",
    "uvicorn_worker.UvicornWorker",
)
ROW = b"0.56,Ideal,E,VS1,62.7,56.0,5.26,5.3,3.31\n"
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(ROW) + ROW
START_SECONDS, CLIENT_TIMEOUT_SECONDS, LOAD_SECONDS, STOP_SECONDS = 20.0, 40.0, 1.0, 40.0
CLIENTS, IDLE_CONNECTIONS = 16, 8

# The bytes to send, and whether the client then closes its sending side.
CASES: dict[str, tuple[bytes, bool]] = {
    "no bytes": (b"", False),
    "incomplete head": (HEAD[:30], False),
    "incomplete body": (REQUEST[:-10], False),
    "incomplete body, then half-close": (REQUEST[:-10], True),
    "complete request, then half-close": (REQUEST, True),
    "header of 9,000 bytes": (
        b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        False,
    ),
    "Content-Length and Transfer-Encoding": (
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        True,
    ),
    "two Host headers": (
        b"GET /ping HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n",
        False,
    ),
    "invalid chunk size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", False),
}


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A running server."""

    port: int
    process: "subprocess.Popen[bytes]"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=CLIENT_TIMEOUT_SECONDS)


def main() -> None:
    """Print a table with a row for each case and a column for each worker class."""
    names = sys.argv[1:] or WORKER_CLASSES
    columns = [run_cases(name) for name in names]
    print("| case |", " | ".join(name.rpartition(".")[2] for name in names), "|")
    print("| --- " * (len(names) + 1) + "|")
    for case in columns[0]:
        print(f"| {case} |", " | ".join(column[case] for column in columns), "|")


def run_cases(worker_class: str) -> dict[str, str]:
    """Return the outcome of each case."""
    with run_server(worker_class) as server, ThreadPoolExecutor(len(CASES)) as pool:
        outcomes = pool.map(lambda case: send_case(server, *case), CASES.values())
        found = dict(zip(CASES, outcomes, strict=True))
    with run_server(worker_class) as server:
        seconds = stop_with_idle_connections(server)
        found[f"SIGTERM with {IDLE_CONNECTIONS} idle connections"] = (
            f"stopped after {seconds:.1f} s"
        )
    with run_server(worker_class) as server:
        found[f"SIGTERM under load, {CLIENTS} clients without keep-alive"] = count_lost(server)
    return found


def send_case(server: RunningServer, data: bytes, half_close: bool) -> str:  # noqa: FBT001  # as in CASES
    """Return the status of the response or how the connection ended, and the time if it is long."""
    start = time.monotonic()
    with server.connect() as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        try:
            response = connection.recv(65536)
        except TimeoutError:
            return f"open after {CLIENT_TIMEOUT_SECONDS:.0f} s"
        except OSError as error:
            return f"{error.strerror}"
    seconds = time.monotonic() - start
    outcome = "closed"
    if response.startswith(b"HTTP/"):
        outcome = response.split(b" ", 2)[1].decode()
    return outcome + (f" after {seconds:.0f} s" if seconds > 1 else "")


def stop_with_idle_connections(server: RunningServer) -> float:
    """Return the seconds it takes to stop a server while clients hold idle connections."""
    with ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(IDLE_CONNECTIONS)]
        for connection in connections:
            connection.sendall(REQUEST)
            connection.recv(65536)
        return stop(server)


def count_lost(server: RunningServer) -> str:
    """Return how many requests sent before SIGTERM did not get a response."""
    outcomes: list[tuple[float, bool]] = []
    clients = [
        threading.Thread(target=send_until_refused, args=(server, outcomes)) for _ in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    time.sleep(LOAD_SECONDS)
    sigterm_time = time.monotonic()
    stop(server)
    for client in clients:
        client.join()
    succeeded = [success for sent, success in outcomes if sent < sigterm_time]
    return f"{succeeded.count(False)} of {len(succeeded)} lost"


def send_until_refused(server: RunningServer, outcomes: list[tuple[float, bool]]) -> None:
    """Send requests on new connections until one is refused; append (time sent, success)."""
    request = REQUEST.replace(b"Host: x", b"Host: x\r\nConnection: close")
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            connection = server.connect()
        except OSError:
            return
        with connection:
            sent, response = float("inf"), b""
            with suppress(OSError):
                connection.sendall(request)
                sent = time.monotonic()
                response = connection.recv(65536)
            outcomes.append((sent, response.startswith(b"HTTP/1.1 200")))


def stop(server: RunningServer) -> float:
    """Stop a server with SIGTERM; return how many seconds it took."""
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(STOP_SECONDS)
    return time.monotonic() - start


@contextmanager
def run_server(worker_class: str) -> Iterator[RunningServer]:
    """Run the ASGI front end under a worker class until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "bench.programs.worker_class", worker_class, str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    server = RunningServer(port, process)
    try:
        wait_until(lambda: send_case(server, REQUEST, half_close=False) == "200")
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_until(is_ready: Callable[[], bool]) -> None:
    """Wait until the server is ready; raises RuntimeError after START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            if is_ready():
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not respond within {START_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
