"""Starts a server with a model, verifies its predictions, and stops all of its processes."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.environments import Unavailable, create_environment
from bench.models import MAX_ROWS, BenchModel
from bench.paths import ROOT, WORK
from bench.process_tree import list_tree
from bench.servers.spec import Launch, Predictions, ServerSpec
from bench.wrk import WrkRequest
from container.local_server import free_port

START_SECONDS = 90.0
STOP_SECONDS = 8.0
RESPONSE_TIMEOUT_SECONDS = 120.0
POLL_SECONDS = 0.01
RELATIVE_TOLERANCE = 1e-5
# How many payloads a load consists of, if the rows suffice.
MAX_PAYLOADS = 64
# Prefixes of environment variables that must not reach the server.
NOT_INHERITED = (
    "SAGEMAKER_",
    "SERVE_",
    "SM_",
    "MAX_CONTENT_LENGTH",
    "OMP_",
    "OPENBLAS_",
    "PYTHON",
    "VIRTUAL_ENV",
    "MAKE",
    "MFLAGS",
)


class WrongResponse(Exception):
    """A server's response is not a 200 with the same predictions as XGBoost's own."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server; ``start_seconds`` is the time from its start to its first prediction."""

    spec: ServerSpec
    model: BenchModel
    port: int
    pid: int
    start_seconds: float

    def write_payload(self, rows: int, media_type: str, start: int = 0) -> Path:
        """Return the file with the body of a request, and write it if it does not exist.

        ``start`` is the index of its first row.
        """
        path_slug = self.spec.path.strip("/").replace("/", "-")
        media_slug = media_type.replace("/", "-")
        name = f"{self.spec.environment}-{path_slug}-{self.model.name}-{rows}-{start}-{media_slug}"
        path = WORK / "payloads" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.spec.bodies[media_type](self.model.rows[start : start + rows]))
        return path

    def post(self, body: bytes, media_type: str) -> bytes:
        """Return the body of the response to one request; raises WrongResponse or OSError."""
        return send_request(self.port, self.spec.path, body, media_type)

    def verify(self, rows: int, media_type: str) -> WrkRequest:
        """Compare the responses to different payloads with XGBoost's own predictions.

        Return the request that sends these payloads. Raises WrongResponse if the predictions
        differ, and OSError.
        """
        payloads, lengths = [], []
        for start in range(0, MAX_ROWS - rows + 1, rows)[:MAX_PAYLOADS]:
            payload = self.write_payload(rows, media_type, start)
            response = self.post(payload.read_bytes(), media_type)
            if self.spec.read is not None:
                self._compare(self.spec.read, response, self.model.expected[start : start + rows])
            payloads.append(payload)
            lengths.append(len(response))
        url = f"http://127.0.0.1:{self.port}{self.spec.path}"
        return WrkRequest(url, payloads, media_type, min(lengths), max(lengths))

    def _compare(
        self, read: Callable[[bytes], Predictions], response: bytes, expected: NDArray[np.float32]
    ) -> None:
        rows = len(expected)
        try:
            predicted = read(response).reshape(expected.shape)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise WrongResponse(
                f"{rows} rows: expected predictions of shape {expected.shape}, "
                f"got {response[:80]!r}"
            ) from error
        if not np.allclose(predicted, expected, rtol=RELATIVE_TOLERANCE, atol=0):
            difference = float(np.max(np.abs(predicted / expected - 1)))
            raise WrongResponse(
                f"{rows} rows: predictions differ from XGBoost's "
                f"by a relative error of up to {difference:.2g}"
            )


def send_request(port: int, path: str, body: bytes, media_type: str, method: str = "POST") -> bytes:
    """Send one request on a new connection, and return the body of the response.

    Raises WrongResponse unless the response is a 200, and OSError.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=RESPONSE_TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body, {"Content-Type": media_type})
        response = connection.getresponse()
        response_body = response.read()
    except HTTPException as error:
        raise WrongResponse(f"invalid HTTP response: {error!r}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise WrongResponse(f"status {response.status}: {response_body[:200]!r}")
    return response_body


@contextmanager
def run_server(spec: ServerSpec, model: BenchModel, **env: str) -> Iterator[ServerProcess]:
    """Run a server until the block ends.

    Raises Unavailable, with the last line of its log, if the server does not start.
    """
    scratch = WORK / "scratch" / spec.name.replace(" ", "-") / model.name
    scratch.mkdir(parents=True, exist_ok=True)
    launch = Launch(create_environment(spec), model.file, free_port(), scratch)
    try:
        spec.prepare(launch)
    except subprocess.SubprocessError as error:
        raise Unavailable(f"cannot prepare the model: {error}") from error
    log = scratch / "log.txt"
    start = time.perf_counter()
    process = _start_process(spec, launch, log, env)
    server = ServerProcess(spec, model, launch.port, process.pid, 0.0)
    try:
        _wait_for_first_prediction(server, process, log)
        yield replace(server, start_seconds=time.perf_counter() - start)
    finally:
        _stop(process)


def _start_process(
    spec: ServerSpec, launch: Launch, log: Path, env: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            list(spec.command(launch)),
            cwd=ROOT,
            env={**inherited, **spec.env(launch), **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_for_first_prediction(
    server: ServerProcess, process: "subprocess.Popen[bytes]", log: Path
) -> None:
    media_type = next(iter(server.spec.bodies))
    body = server.write_payload(1, media_type).read_bytes()
    deadline = time.monotonic() + START_SECONDS
    reason = "no connection"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.post(body, media_type)
        except (OSError, WrongResponse) as error:
            reason = str(error)
            time.sleep(POLL_SECONDS)
        else:
            return
    log_lines = log.read_text(errors="replace").strip().splitlines() or ["(empty)"]
    state = f"no prediction within {START_SECONDS:g} s ({reason})"
    if process.poll() is not None:
        state = f"the server exited with code {process.returncode}"
    raise Unavailable(f"{state}; last line of its log: {log_lines[-1][:200]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop a server with SIGTERM, and its remaining processes with SIGKILL."""
    pids = list_tree(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    for pid in {*pids, *list_tree(process.pid)}:
        if pid != process.pid or process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()
