"""Runs batch transform jobs, and a container that records the requests it receives."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.diamonds import CSV
from tests.support.server import ROOT

LINES = CSV.splitlines(keepends=True)
MIB = 1 << 20


def run_batch(
    source: Path, *options: str, timeout_seconds: float = 90
) -> "subprocess.CompletedProcess[str]":
    """Run a job through its command line; no job may print a traceback."""
    outcome = subprocess.run(
        [sys.executable, "-m", "local_test.batch", str(source), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_seconds,
    )

    assert "Traceback" not in outcome.stderr
    return outcome


def write_input(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    """Write an input file; return its path."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_output(source: Path) -> list[str]:
    """Return the lines of the default output of an input file."""
    return source.with_name(f"{source.name}.out").read_text().splitlines()


@dataclass
class RecordingContainer:
    """A container that echoes payloads, and records the requests it receives."""

    # The response to GET /execution-parameters; None is 404.
    execution_parameters: dict[str, object] | None = None
    # The statuses of the next responses; once the list is empty, 200.
    statuses: list[int] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    in_flight: int = 0
    max_in_flight: int = 0
    url: str = ""


@contextmanager
def run_container(
    container: RecordingContainer, *, concurrency: int = 1
) -> Iterator[RecordingContainer]:
    """Serve a recording container.

    It responds to the first ``concurrency`` requests only once all of them are in flight.
    """
    barrier, lock = threading.Barrier(concurrency), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parameters = container.execution_parameters
            self.respond(404 if parameters is None else 200, json.dumps(parameters).encode())

        def do_POST(self) -> None:
            if "Transfer-Encoding" in self.headers:
                payload = self.read_chunks()
            else:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                container.payloads.append(payload)
                container.headers.append(dict(self.headers))
                container.in_flight += 1
                container.max_in_flight = max(container.max_in_flight, container.in_flight)
                status = container.statuses.pop(0) if container.statuses else 200
                must_wait = len(container.payloads) <= concurrency
            if must_wait:
                barrier.wait(20)
            with lock:
                container.in_flight -= 1
            self.respond(status, payload if status == 200 else b"row 2 is bad")

        def read_chunks(self) -> bytes:
            payload = b""
            while size := int(self.rfile.readline(), 16):
                payload += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return payload

        def respond(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    container.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield container
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
