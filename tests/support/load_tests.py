"""Load tests by the command line, and servers for them whose limits are known."""

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
Answer = Callable[[BaseHTTPRequestHandler, int], None]


@dataclass(frozen=True)
class Outcome:
    """What a load test said to whom, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def found(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.out)
        return told


def capacity(*options: str) -> Outcome:
    outcome = subprocess.run(
        [*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=90
    )

    assert "Traceback" not in outcome.stderr, outcome.stderr
    return Outcome(outcome.returncode, outcome.stdout, outcome.stderr)


def thrice(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test until it holds, three times at most: other work here disturbs a load test, a fault of ours each of them."""

    @functools.wraps(test)
    def tried(*arguments: Any, **named: Any) -> None:
        for _ in range(2):
            try:
                test(*arguments, **named)
            except AssertionError:
                continue
            return
        test(*arguments, **named)

    return tried


@contextmanager
def answering(answer: Answer, protocol: str = "HTTP/1.1") -> Iterator[str]:
    """Serve by a function that gets each invocation, and how many came before it."""
    numbers = iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self, next(numbers))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

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


def whole(handler: BaseHTTPRequestHandler, status: int = 200) -> None:
    """Answer with a length, of nothing."""
    handler.send_response(status)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def one_at_a_time(hold_seconds: float) -> Answer:
    """Answer one after the other, so that no more than 1 / hold_seconds go through in a second."""
    lock = threading.Lock()

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        with lock:
            time.sleep(hold_seconds)
        whole(handler)

    return answer


@contextmanager
def instant() -> Iterator[str]:
    """Serve with the program that answers at once, which is faster than any load generator of Python."""
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
