"""Sends bodies that are wide or amplify, and measures what they cost the server and its pings.

Prints a table with the status, the seconds until the response, the slowest ping in the meantime,
the peak memory of the worker, and the size of the response. Usage: wide.py [--mib N] [--only TEXT]
[--front-end asgi|flask] [--plain]
"""

import argparse
import http.client
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xgboost

from bench.process_tree import peak_bytes, reset_peaks, wait_until_idle
from bench.server_process import NOT_INHERITED
from bench.wide_bodies import HARD_BODIES, PLAIN_BODIES, WideBody
from container.local_server import free_port, start_server, stop, wait_until_ready

COLUMNS = ["a", "b", "c"]
PING_INTERVAL_SECONDS = 0.02
TIMEOUT_SECONDS = 600.0
MIB = 1 << 20
HEADER = "| media type | body | status | seconds | slowest ping | peak memory | response |"


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one body; ``peak_bytes`` includes the memory of an idle worker."""

    status: str
    seconds: float
    slowest_ping: float
    peak_bytes: int
    response_bytes: int
    start: bytes


@dataclass(slots=True)
class Pinger:
    """Pings a server all the time, on a connection of its own."""

    port: int
    slowest_seconds: float = 0.0
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._ping)
        thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            thread.join()

    def _ping(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        while not self.stopping.wait(PING_INTERVAL_SECONDS):
            start = time.monotonic()
            try:
                connection.request("GET", "/ping")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - start)
        connection.close()


def main() -> None:
    """Print the table for the bodies that the arguments select."""
    arguments = _parse_arguments()
    bodies = PLAIN_BODIES if arguments.plain else HARD_BODIES
    print(HEADER)
    print("| --- " * HEADER.count(" | ") + "| --- |")
    with tempfile.TemporaryDirectory() as folder, _run_server(Path(folder), arguments) as server:
        for body in bodies:
            if arguments.only in f"{body.content_type} {body.name}":
                cost = measure(body, arguments.mib * MIB, *server)
                print(_format(body, cost, explain=arguments.messages), flush=True)


def measure(body: WideBody, size: int, port: int, pid: int) -> Cost:
    """Send a body and return what it cost."""
    payload = body.build(size)
    wait_until_idle(pid)
    reset_peaks(pid)
    pinger = Pinger(port)
    with pinger.running():
        start = time.monotonic()
        status, response_bytes, first = _post(port, body, payload)
        seconds = time.monotonic() - start
    peak = max(peak_bytes(pid).values())
    return Cost(status, seconds, pinger.slowest_seconds, peak, response_bytes, first)


def _post(port: int, body: WideBody, payload: bytes) -> tuple[str, int, bytes]:
    """Return the status, or what went wrong instead, the response's size and its start."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    size, first = 0, b""
    try:
        headers = {"Content-Type": body.content_type, **body.headers}
        connection.request("POST", "/invocations", payload, headers)
        response = connection.getresponse()
        while chunk := response.read(MIB):
            first = first or chunk[:300]
            size += len(chunk)
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}", size, first
    finally:
        connection.close()
    return str(response.status), size, first


def _format(body: WideBody, cost: Cost, *, explain: bool) -> str:
    cells = (
        body.content_type,
        body.name,
        cost.status,
        f"{cost.seconds:.1f}",
        f"{cost.slowest_ping:.2f}",
        f"{cost.peak_bytes / 1e6:,.0f} MB",
        f"{cost.response_bytes / 1e6:,.1f} MB",
    )
    line = f"| {' | '.join(cells)} |"
    return f"{line} {cost.start!r}" if explain else line


@contextmanager
def _run_server(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[int, int]]:
    """Serve a model of three columns with one worker; yield its port and its process ID."""
    features = np.random.default_rng(1).normal(size=(400, len(COLUMNS))).round(2)
    matrix = xgboost.DMatrix(features, features.sum(axis=1), feature_names=COLUMNS)
    xgboost.train({"max_depth": 4}, matrix, 10).save_model(folder / "model.ubj")
    port = free_port()
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SERVE_FRONTEND": arguments.front_end}
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)
    }
    with (folder / "log.txt").open("w") as log:
        process = start_server(folder, port, variables, inherited=inherited, output=log)
        try:
            wait_until_ready(process, f"http://127.0.0.1:{port}")
            yield port, process.pid
        finally:
            stop(process)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=100, help="size of each body (default: 100)")
    parser.add_argument("--only", default="", help="only bodies whose name contains this text")
    parser.add_argument("--plain", action="store_true", help="send the bodies of usual callers")
    parser.add_argument("--messages", action="store_true", help="print each response's start")
    parser.add_argument("--front-end", choices=("asgi", "flask"), default="asgi")
    return parser.parse_args()


if __name__ == "__main__":
    main()
