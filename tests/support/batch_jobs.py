"""Batch transform jobs by their command line, and a container that remembers what they send."""

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


def batch(source: Path, *options: str, timeout: float = 90) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "local_test.batch", str(source), *options]
    outcome = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout
    )

    assert "Traceback" not in outcome.stderr
    return outcome


def written(folder: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def output_of(source: Path) -> list[str]:
    return source.with_name(f"{source.name}.out").read_text().splitlines()


@dataclass
class StandIn:
    """A container of the test's own: it counts the lines of each payload, and remembers what it got."""

    told: dict[str, object] | None = None
    # The status of each reply, as they come; 200 when none is left.
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    url: str = ""


@contextmanager
def standing_in(stand_in: StandIn, *, together: int = 1) -> Iterator[StandIn]:
    """Serve a stand-in; it answers its first invocations only when so many are under way together."""
    barrier, lock = threading.Barrier(together), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(404 if stand_in.told is None else 200, json.dumps(stand_in.told).encode())

        def do_POST(self) -> None:
            body = (
                self.chunks()
                if "Transfer-Encoding" in self.headers
                else self.rfile.read(int(self.headers["Content-Length"]))
            )
            with lock:
                stand_in.bodies.append(body)
                stand_in.headers.append(dict(self.headers))
                stand_in.under_way += 1
                stand_in.most_under_way = max(stand_in.most_under_way, stand_in.under_way)
                status = stand_in.statuses.pop(0) if stand_in.statuses else 200
                first = len(stand_in.bodies) <= together
            if first:
                barrier.wait(20)
            with lock:
                stand_in.under_way -= 1
            self.answer(status, body if status == 200 else b"row 2 is bad")

        def chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
