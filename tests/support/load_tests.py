"""Runs load tests from the command line, against servers with known limits."""

import functools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.server import ROOT

COMMAND = [sys.executable, "-m", "capacity", "--seconds", "0.5"]
# Responds to a request; the number counts the requests before it.
Respond = Callable[[BaseHTTPRequestHandler, int], None]


@dataclass(frozen=True)
class CapacityRun:
    """The exit code and output of a load test."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.stdout)
        return report


def run_capacity(*options: str) -> CapacityRun:
    process = subprocess.run(
        [*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=90
    )

    assert "Traceback" not in process.stderr, process.stderr
    return CapacityRun(process.returncode, process.stdout, process.stderr)


def up_to_three_attempts(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test until it passes, at most three times, because other processes disturb load tests.

    A real fault fails all three attempts.
    """

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        for _ in range(2):
            try:
                test(*args, **kwargs)
            except AssertionError:
                continue
            return
        test(*args, **kwargs)

    return run


@contextmanager
def run_server(respond: Respond, protocol: str = "HTTP/1.1") -> Iterator[str]:
    """Serve with a function that responds to each POST, and yield the server's URL."""
    numbers = iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            respond(self, next(numbers))

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 1024

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def send_empty_response(handler: BaseHTTPRequestHandler, status: int = 200) -> None:
    """Send a response with an empty body and a Content-Length."""
    handler.send_response(status)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def respond_one_at_a_time(seconds: float) -> Respond:
    """Return a function that serializes responses, at most 1 / seconds of them per second."""
    lock = threading.Lock()

    def respond(handler: BaseHTTPRequestHandler, number: int) -> None:
        with lock:
            time.sleep(seconds)
        send_empty_response(handler)

    return respond


@contextmanager
def run_null_server() -> Iterator[str]:
    """Run the null server, which is faster than any load generator in Python, and yield its URL."""
    command = [sys.executable, "-m", "capacity.null_server", "100"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.stdin.close()
