"""The container's server on this machine: in Docker if its image is there, else in the local Python."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import requests

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_ARTIFACT = ROOT / "model" / "artifact"
START_SECONDS = 480.0  # how long SageMaker waits for the first 200: contract 2.4
PING_SECONDS = 2.0  # how long it waits for each: contract 2.3
STOP_SECONDS = 30.0  # between SIGTERM and SIGKILL: contract 1.3


class NotServing(Exception):
    """The server ended, or was not ready in time."""


@dataclass(frozen=True, slots=True)
class Container:
    """A server that answers under ``url``, what it was started with, and after how many seconds it was ready."""

    url: str
    words: str
    seconds_until_ready: float


@contextmanager
def serving(
    folder: Path = SAMPLE_ARTIFACT,
    *,
    image: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Container]:
    """Serve the artifact in a folder on a free port of the loopback until the block ends.

    Args:
        folder: what lies in /opt/ml/model.
        image: the image to run if Docker has it; None never asks Docker.
        environment: the container's variables, beside those that name folder and port.

    Raises:
        NotServing: the server ended, or /ping was not 200 in time.
    """
    port = free_port()
    in_docker = image is not None and has_image(image)
    words = f"docker run {image} serve" if in_docker else "container/entrypoint.py serve"
    start = time.monotonic()
    process = (
        _in_docker(str(image), folder, port, environment or {})
        if in_docker
        else _here(folder, port, environment or {})
    )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}")
        yield Container(f"http://127.0.0.1:{port}", words, time.monotonic() - start)
    finally:
        stop(process)


def wait_until_ready(server: "subprocess.Popen[bytes]", url: str) -> None:
    """Wait until /ping answers 200, as SageMaker does; raises NotServing."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise NotServing(
                f"the server ended with exit code {server.returncode}; its log says why"
            )
        try:
            if requests.get(f"{url}/ping", timeout=PING_SECONDS).status_code == requests.codes.ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.05)
    raise NotServing(f"GET {url}/ping was not 200 within {START_SECONDS:.0f} s")


def stop(server: "subprocess.Popen[bytes]") -> int:
    """Stop a server as SageMaker does, with SIGTERM and in the end SIGKILL; return its exit code."""
    server.send_signal(signal.SIGTERM)
    try:
        return server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


def stop_on_sigterm() -> None:
    """Have SIGTERM and SIGHUP end this program as Ctrl-C does, so that what it started is stopped too."""

    def end(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)  # of a terminal that is closed


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has_image(image: str) -> bool:
    """Tell whether Docker answers here, and has the image."""
    if shutil.which("docker") is None:
        return False
    return (
        subprocess.run(
            ["docker", "image", "inspect", image], capture_output=True, check=False
        ).returncode
        == 0
    )


def _here(folder: Path, port: int, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    settings = {"SM_MODEL_DIR": str(folder), "SAGEMAKER_BIND_TO_PORT": str(port), **environment}
    # In a session of its own, so that Ctrl-C reaches only the program that started it, which then stops it in order.
    command = [sys.executable, str(ROOT / "container" / "entrypoint.py"), "serve"]
    return subprocess.Popen(command, env=os.environ | settings, start_new_session=True)


def _in_docker(
    image: str, folder: Path, port: int, environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    variables = [
        argument for name, value in environment.items() for argument in ("--env", f"{name}={value}")
    ]
    place = [
        "--publish",
        f"127.0.0.1:{port}:8080",
        "--volume",
        f"{folder.resolve()}:/opt/ml/model:ro",
    ]
    return subprocess.Popen(
        ["docker", "run", "--rm", "--init=false", *place, *variables, image, "serve"],
        start_new_session=True,
    )
