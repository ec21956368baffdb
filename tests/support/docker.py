"""The image as a container: started, asked and stopped by the docker command."""

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
    """Run a docker command."""
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=check, timeout=300
    )


def inspect(what: str) -> dict[str, Any]:
    """Return what docker knows of an image or a container."""
    found: dict[str, Any] = json.loads(docker("inspect", what).stdout)[0]
    return found


@contextmanager
def container(
    *options: str, folder: Path = ARTIFACT, port: int = 8080
) -> Iterator[tuple[str, Server]]:
    """Run the image as SageMaker does, with more options, until it is stopped; yield its name and where it answers."""
    published = free_port()
    mount = f"{folder}:/opt/ml/model:ro"
    command = (
        "run",
        "--detach",
        "--publish",
        f"127.0.0.1:{published}:{port}",
        "--volume",
        mount,
        *options,
        IMAGE,
        "serve",
    )
    name = docker(*command).stdout.strip()
    try:
        server = Server(f"http://127.0.0.1:{published}")
        wait_until_ready(name, server)
        yield name, server
    finally:
        docker("rm", "--force", name)


def wait_until_ready(name: str, server: Server) -> None:
    """Wait until /ping is 200; raises RuntimeError with the container's log if it ends before."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and inspect(name)["State"]["Running"]:
        try:
            if requests.get(f"{server.url}/ping", timeout=2).status_code == requests.codes.ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise RuntimeError(f"no 200 from /ping: {docker('logs', name, check=False)}")
