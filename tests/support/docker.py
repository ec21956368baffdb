"""Run containers of the image with the docker command."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.support.diamonds import ARTIFACT
from tests.support.server import Server, free_port

IMAGE = os.environ.get("IMAGE", "xgb-endpoint:dev")
START_SECONDS = 60.0


def docker(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run a docker command; raises subprocess.CalledProcessError unless ``check`` is False."""
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=check, timeout=300
    )


def inspect(name: str) -> dict[str, Any]:
    """Return the metadata of an image or a container."""
    metadata: dict[str, Any] = json.loads(docker("inspect", name).stdout)[0]
    return metadata


@contextmanager
def container(
    *options: str, folder: Path = ARTIFACT, port: int = 8080
) -> Iterator[tuple[str, Server]]:
    """Run the image as SageMaker does, plus docker options; yield the container and its server."""
    host_port = free_port()
    mount = f"{folder}:/opt/ml/model:ro"
    command = (
        "run",
        "--detach",
        "--publish",
        f"127.0.0.1:{host_port}:{port}",
        "--volume",
        mount,
        *options,
        IMAGE,
        "serve",
    )
    name = docker(*command).stdout.strip()
    try:
        server = Server(f"http://127.0.0.1:{host_port}")
        wait_until_ready(name, server)
        yield name, server
    finally:
        docker("rm", "--force", name)


def wait_until_ready(name: str, server: Server) -> None:
    """Wait for status 200 from /ping; raises RuntimeError, with the log, if the container exits."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and inspect(name)["State"]["Running"]:
        try:
            if requests.get(f"{server.url}/ping", timeout=2).status_code == requests.codes.ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise RuntimeError(f"/ping did not return status 200: {docker('logs', name, check=False)}")
