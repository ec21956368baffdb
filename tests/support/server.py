"""Start the real server for tests: the entrypoint as a process, on a free port of 127.0.0.1."""

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from container.local_server import (
    ENTRYPOINT,
    ROOT,
    NotServing,
    free_port,
    start_server,
)
from container.local_server import stop as stop_process
from container.local_server import wait_until_ready as wait_for_ping

__all__ = ["ENTRYPOINT", "ROOT", "free_port"]  # re-exported for tests

OWN_VARIABLES = ("SAGEMAKER_", "SERVE_", "SM_", "MAX_CONTENT_LENGTH")
# Settings of all servers that are started without them, and the variables that select these.
FRONT_END_VARIABLE = "TEST_FRONT_END"
DEFAULTS = {"SERVE_FRONTEND": FRONT_END_VARIABLE, "SERVE_KERNEL": "TEST_KERNEL"}
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass
class Process:
    """The process of a server, and the file that receives its output."""

    popen: "subprocess.Popen[bytes]"
    output: IO[str]

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def returncode(self) -> int | None:
        return self.popen.poll()

    def send_signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Return the exit code; raises subprocess.TimeoutExpired."""
        return self.popen.wait(seconds)

    def read_output(self) -> str:
        """Return everything that the server printed, and close the file."""
        with self.output:
            self.output.seek(0)
            return self.output.read()


@dataclass(frozen=True)
class Server:
    """A running server; ``process`` is None if the tests did not start it."""

    url: str
    process: Process | None = None
    output: list[str] = field(default_factory=list)

    def post(
        self, body: Any, content_type: str | None = "text/csv", **headers: str | None
    ) -> requests.Response:
        """Post a payload to /invocations; underscores in header names become hyphens."""
        named = {
            "Content-Type": content_type,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return requests.post(f"{self.url}/invocations", data=body, headers=named, timeout=120)

    def exchange(self, request: bytes) -> bytes:
        """Send these bytes, close the sending half, and return everything received."""
        with socket.create_connection(self.address, timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            response = b""
            while piece := connection.recv(65536):
                response += piece
            return response

    def events(self) -> list[dict[str, Any]]:
        """Return the log events of a server that has stopped."""
        return [json.loads(line) for line in "".join(self.output).splitlines()]

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)


@contextmanager
def running(folder: Path, **env: str) -> Iterator[Server]:
    """Serve the artifact in a folder, with these environment variables, until the block ends.

    One worker starts sooner than the default of one per CPU, which most tests do not need.
    """
    port = free_port()
    process = start(folder, port, **{"SAGEMAKER_MODEL_SERVER_WORKERS": "1"} | env)
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        wait_until_ready(server)
        yield server
    finally:
        if not process.output.closed:
            server.output.append(stop(process))


def startup_error(folder: Path, **env: str) -> str:
    """Return the only line that a server prints if it cannot start."""
    process = start(folder, free_port(), **env)
    try:
        exit_code = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.fail(f"the server started: {stop(process)}")
    output = process.read_output()

    assert exit_code == 1, output
    assert "Traceback" not in output
    assert len(output.splitlines()) == 1, output
    return output


def start(folder: Path, port: int, **env: str) -> Process:
    """Start a server without waiting until it is ready."""
    # A file, because a pipe that is not read would fill up and block the server.
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115  # Process closes it
    defaults = {
        setting: os.environ[variable]
        for setting, variable in DEFAULTS.items()
        if variable in os.environ
    }
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)
    }
    popen = start_server(folder, port, defaults | env, inherited=inherited, output=output)
    return Process(popen, output)


def stop(process: Process) -> str:
    """Stop a server as SageMaker does, and return what it printed."""
    stop_process(process.popen)
    return process.read_output()


def wait_until_ready(server: Server) -> None:
    """Wait until /ping answers 200; raises RuntimeError with what the server printed."""
    popen = server.process.popen if server.process else None
    try:
        wait_for_ping(popen, server.url, START_SECONDS)
    except NotServing as error:
        printed = server.process.read_output() if server.process else ""
        raise RuntimeError(f"{error}: {printed}") from error
