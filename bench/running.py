"""A running server: a peer that serves a model, in processes of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np

from bench.environments import Unavailable, environment
from bench.models import Served
from bench.peers.peer import Launch, Peer, Predictions
from bench.places import ROOT, WORK
from bench.processes import tree
from bench.wrk import Request
from container.local_server import free_port

START_SECONDS = 90.0
STOP_SECONDS = 8.0
ANSWER_SECONDS = 120.0
POLL_SECONDS = 0.01
RELATIVE_TOLERANCE = 1e-5
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


class WrongAnswer(Exception):
    """A server answered, but not with XGBoost's predictions."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that has answered its first prediction; ``start_seconds`` is how long that took from its process's start."""

    peer: Peer
    served: Served
    port: int
    pid: int
    start_seconds: float

    def payload(self, rows: int, media_type: str) -> Path:
        """Return the file that holds the body of a request with so many rows."""
        name = f"{self.peer.path.strip('/').replace('/', '-')}-{self.served.name}-{rows}-{media_type.replace('/', '-')}"
        path = WORK / "payloads" / f"{self.peer.environment}-{name}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.peer.bodies[media_type](self.served.rows[:rows]))
        return path

    def post(self, body: bytes, media_type: str) -> bytes:
        """Return the reply to one request; raises WrongAnswer for any status but 200, and OSError."""
        return post(self.port, self.peer.path, body, media_type)

    def verified(self, rows: int, media_type: str) -> Request:
        """Return a request whose reply has been compared with XGBoost's own predictions; raises WrongAnswer."""
        payload = self.payload(rows, media_type)
        reply = self.post(payload.read_bytes(), media_type)
        if self.peer.read is not None:
            self._check(self.peer.read, reply, rows)
        return Request(
            f"http://127.0.0.1:{self.port}{self.peer.path}", payload, media_type, len(reply)
        )

    def _check(self, read: Callable[[bytes], Predictions], reply: bytes, rows: int) -> None:
        expected = self.served.expected[:rows]
        try:
            predicted = read(reply).reshape(expected.shape)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise WrongAnswer(
                f"{rows} rows: not {expected.shape} predictions: {reply[:80]!r}"
            ) from error
        if not np.allclose(predicted, expected, rtol=RELATIVE_TOLERANCE, atol=0):
            worst = float(np.max(np.abs(predicted / expected - 1)))
            raise WrongAnswer(
                f"{rows} rows: predictions differ from XGBoost's by up to {worst:.2g} of their value"
            )


def post(port: int, path: str, body: bytes, media_type: str, method: str = "POST") -> bytes:
    """Return the reply to one request on a connection of its own; raises WrongAnswer for any status but 200, and OSError."""
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, body, {"Content-Type": media_type})
        response = connection.getresponse()
        reply = response.read()
    except HTTPException as error:
        raise WrongAnswer(f"no HTTP: {error!r}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise WrongAnswer(f"status {response.status}: {reply[:200]!r}")
    return reply


@contextmanager
def running(peer: Peer, served: Served, **env: str) -> Iterator[Running]:
    """Run a server until the end of the block; raises Unavailable with its last words if it does not start."""
    scratch = WORK / "scratch" / peer.name.replace(" ", "-") / served.name
    scratch.mkdir(parents=True, exist_ok=True)
    launch = Launch(environment(peer), served.file, free_port(), scratch)
    try:
        peer.prepare(launch)
    except subprocess.SubprocessError as error:
        raise Unavailable(f"cannot prepare the model: {error}") from error
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)
    }
    log = scratch / "log.txt"
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(peer.command(launch)),
            cwd=ROOT,
            env={**inherited, **peer.env(launch), **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        server = Running(peer, served, launch.port, process.pid, 0.0)
        try:
            _wait_for_first_answer(server, process, log)
            yield Running(peer, served, launch.port, process.pid, time.perf_counter() - began)
        finally:
            _stop(process)


def _wait_for_first_answer(server: Running, process: "subprocess.Popen[bytes]", log: Path) -> None:
    media_type = next(iter(server.peer.bodies))
    body = server.payload(1, media_type).read_bytes()
    deadline = time.monotonic() + START_SECONDS
    reason = "no connection"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.post(body, media_type)
        except (OSError, WrongAnswer) as error:
            reason = str(error)
            time.sleep(POLL_SECONDS)
        else:
            return
    said = log.read_text(errors="replace").strip().splitlines() or ["nothing"]
    state = (
        "it ended"
        if process.poll() is not None
        else f"no prediction within {START_SECONDS:g} s ({reason})"
    )
    raise Unavailable(f"{state}; its last words: {said[-1][:200]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop a server with SIGTERM, and what is left of its processes, by their ids, with SIGKILL."""
    pids = tree(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    for pid in {*pids, *tree(process.pid)}:
        if pid != process.pid or process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()
