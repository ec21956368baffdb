"""Capacity: what a short load test prints, against servers whose limit is known."""

import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.server import ROOT, Server


def capacity(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deploy.capacity", "--seconds", "1", *options]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert "Traceback" not in outcome.stderr
    return outcome


def found(*options: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(capacity("--json", *options).stdout)
    return told


@contextmanager
def one_at_a_time(hold_seconds: float, failing_from: int | None = None) -> Iterator[str]:
    """Serve one request at a time, each as long as told; from the given one on answer 500."""
    lock, count = threading.Lock(), iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                time.sleep(hold_seconds)
                bad = failing_from is not None and next(count) >= failing_from
            self.send_response(500 if bad else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_a_slow_server_breaks_the_objective() -> None:
    """A server of 20 requests a second bears no more than these, and it is latency that ends the ramp."""
    with one_at_a_time(0.05) as url:
        told = found("--url", url, "--start-rps", "4", "--p99-ms", "400")

    assert told["stopped_by"] == "latency"
    assert told["max_rps"] < 20
    assert told["steps"][-1]["p99_ms"] > 400


def test_errors_break_the_objective() -> None:
    """Failures end the ramp, whatever the latency."""
    with one_at_a_time(0, failing_from=40) as url:
        told = found("--url", url, "--p99-ms", "5000")

    assert told["stopped_by"] == "errors"
    assert told["steps"][-1]["error_share"] > 0


def test_the_formulas(diamonds: Server) -> None:
    """AWS's formula and Little's law: targets and instances follow from what is printed; never fewer instances than two."""
    options = ["--url", diamonds.url, "--start-rps", "20", "--p99-ms", "1000", "--seconds", "0.5", "--vcpu", "2"]
    told = found(*options, "--safety-factor", "0.4", "--peak-rps", "90000", "--instance-type", "ml.c6i.xlarge")
    good = told["steps"][-2]

    assert told["max_rps"] == good["rps"]
    assert told["rps_per_vcpu"] == pytest.approx(told["max_rps"] / 2)
    assert told["invocations_per_instance"] == pytest.approx(told["max_rps"] * 0.4 * 60)
    assert told["concurrent_requests_per_model"] == pytest.approx(good["rps"] * good["mean_ms"] / 1000 * 0.4)
    assert told["instances"] == max(2, math.ceil(90_000 / (told["max_rps"] / 2 * 4 * 0.4)))


def test_what_people_read(tmp_path: Path) -> None:
    """It says that this is no instance of AWS and what the generator used, and draws the plot; a small peak needs two."""
    plot = tmp_path / "plot.svg"
    with one_at_a_time(0.05) as url:
        outcome = capacity("--url", url, "--start-rps", "4", "--p99-ms", "400", "--peak-rps", "1", "--plot", str(plot))

    assert outcome.returncode == 0, outcome.stderr
    assert "not an ml.* instance" in outcome.stdout
    assert "load generator used" in outcome.stdout
    assert "peak: 2," in outcome.stdout
    assert plot.read_text().startswith("<svg")


def test_nobody_there() -> None:
    """Without a server every request is an error, and the exit code says so."""
    outcome = capacity("--url", "http://127.0.0.1:9")

    assert outcome.returncode == 1
    assert "errors" in outcome.stdout
