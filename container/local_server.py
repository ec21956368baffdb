"""Start and stop the server on this machine, in Docker or with this Python interpreter."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_ARTIFACT = ROOT / "model" / "artifact"
ENTRYPOINT = ROOT / "container" / "entrypoint.py"
START_SECONDS = 480.0  # how long SageMaker waits for the first 200 from /ping: contract 2.4
PING_SECONDS = 2.0  # how long SageMaker waits for each ping: contract 2.3
STOP_SECONDS = 30.0  # between SIGTERM and SIGKILL: contract 1.3
POLL_SECONDS = 0.02


class NotServing(Exception):
    """The server exited, or was not ready in time."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that is ready, the command that started it, and how long it took to start."""

    url: str
    command: str
    process: "subprocess.Popen[bytes]"
    seconds_until_ready: float


@contextmanager
def serving(
    folder: Path = SAMPLE_ARTIFACT,
    *,
    image: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[LocalServer]:
    """Serve an artifact on a free port of 127.0.0.1 until the block ends.

    Args:
        folder: the artifact, which Docker mounts at /opt/ml/model.
        image: the image to run if Docker has it. Otherwise, and with None, this Python interpreter
            runs the server.
        environment: variables for the server, in addition to those for the folder and the port.

    Raises:
        NotServing: the server exited, or /ping did not return 200 in time.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    start = time.monotonic()
    if image is not None and has_image(image):
        command = f"docker run {image} serve"
        process = _start_in_docker(image, folder, port, environment or {})
    else:
        command = f"{ENTRYPOINT.relative_to(ROOT)} serve"
        process = start_server(folder, port, environment or {})
    try:
        wait_until_ready(process, url)
        yield LocalServer(url, command, process, time.monotonic() - start)
    finally:
        stop(process)


def start_server(
    folder: Path,
    port: int,
    environment: Mapping[str, str],
    *,
    inherited: Mapping[str, str] = os.environ,
    output: IO[str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start the entrypoint with this Python interpreter, without waiting until it is ready.

    The server gets its own session, so Ctrl-C reaches only the calling program, which then stops
    the server. ``output`` receives the server's standard output and standard error.
    """
    variables = {"SM_MODEL_DIR": str(folder), "SAGEMAKER_BIND_TO_PORT": str(port), **environment}
    return subprocess.Popen(
        [sys.executable, str(ENTRYPOINT), "serve"],
        env={**inherited, **variables},
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
    )


def wait_until_ready(
    process: "subprocess.Popen[bytes] | None", url: str, seconds: float = START_SECONDS
) -> None:
    """Wait until /ping returns 200, as SageMaker does.

    Raises:
        NotServing: the process exited, or /ping did not return 200 in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise NotServing(f"the server exited with code {process.returncode}; see its log")
        if _answers_ping(url):
            return
        time.sleep(POLL_SECONDS)
    raise NotServing(f"GET {url}/ping did not return 200 within {seconds:.0f} s")


def stop(process: "subprocess.Popen[bytes]", seconds: float = STOP_SECONDS) -> int:
    """Stop a server as SageMaker does, with SIGTERM, then SIGKILL; return its exit code."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def stop_on_sigterm() -> None:
    """Make SIGTERM and SIGHUP raise KeyboardInterrupt, so a program stops its servers."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)  # sent when the terminal is closed


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has_image(image: str) -> bool:
    """Return whether Docker is installed and has the image."""
    if shutil.which("docker") is None:
        return False
    command = ["docker", "image", "inspect", image]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _answers_ping(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ping", timeout=PING_SECONDS) as response:
            return bool(response.status == HTTPStatus.OK)
    except (OSError, HTTPException):
        return False


def _start_in_docker(
    image: str, folder: Path, port: int, environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    command = ["docker", "run", "--rm", "--init=false", "--publish", f"127.0.0.1:{port}:8080"]
    command += ["--volume", f"{folder.resolve()}:/opt/ml/model:ro"]
    for name, value in environment.items():
        command += ["--env", f"{name}={value}"]
    return subprocess.Popen([*command, image, "serve"], start_new_session=True)
