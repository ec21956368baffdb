"""A real server for tests: the entrypoint in a process of its own, on a free port of the loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
ENTRYPOINT = ROOT / "container" / "entrypoint.py"
OWN_VARIABLES = ("SAGEMAKER_", "SERVE_", "SM_", "MAX_CONTENT_LENGTH")
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """A server that answers under ``url``; ``process`` is None for one that was not started here."""

    url: str
    process: "subprocess.Popen[str] | None" = None

    def post(self, body: Any, content_type: str | None = "text/csv", **headers: str | None) -> requests.Response:
        """Post a payload to /invocations; underscores in a header's name stand for hyphens."""
        named = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return requests.post(f"{self.url}/invocations", data=body, headers=named, timeout=120)

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)


@contextmanager
def running(folder: Path, **env: str) -> Iterator[Server]:
    """Run a server on the artefact in a folder, with these variables in its environment."""
    port = free_port()
    process = start(folder, port, **env)
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        wait_until_ready(server)
        yield server
    finally:
        stop(process)


def start(folder: Path, port: int, **env: str) -> "subprocess.Popen[str]":
    """Start a server without waiting for it."""
    settings = {"SM_MODEL_DIR": str(folder), "SAGEMAKER_BIND_TO_PORT": str(port), **env}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}
    command = [sys.executable, str(ENTRYPOINT), "serve"]
    return subprocess.Popen(command, env=inherited | settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def stop(process: "subprocess.Popen[str]") -> str:
    """Stop a server as the platform does, with SIGTERM and in the end SIGKILL; return what it wrote."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.communicate(timeout=STOP_SECONDS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def wait_until_ready(server: Server) -> None:
    """Wait until /ping is 200; raises RuntimeError with the server's words if it ends before."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process and server.process.poll() is not None:
            raise RuntimeError(f"the server ended: {server.process.communicate()[0]}")
        try:
            if requests.get(f"{server.url}/ping", timeout=2).status_code == requests.codes.ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise RuntimeError(f"no 200 from /ping within {START_SECONDS} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
