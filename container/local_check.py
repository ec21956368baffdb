"""Run the server's `check` on this machine, in Docker or with this Python interpreter."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from container.local_server import ENTRYPOINT, NotServing, has_image

DOCKER = ["docker", "run", "--rm", "--init=false"]


def check_artifact(folder: Path, *, image: str | None = None) -> dict[str, Any]:
    """Return the report of `check` on an artifact.

    Args:
        folder: the artifact, which Docker mounts at /opt/ml/model.
        image: the image to run if Docker has it. Otherwise, and with None, this Python interpreter
            runs the check.

    Raises:
        NotServing: the server would not start with the artifact; the message says why.
    """
    if image is not None and has_image(image):
        mount = f"{folder.resolve()}:/opt/ml/model:ro"
        command = [*DOCKER, "--volume", mount, image, "check", "--json"]
    else:
        command = [sys.executable, str(ENTRYPOINT), "check", str(folder), "--json"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        lines = outcome.stderr.strip().splitlines() or [f"exit code {outcome.returncode}"]
        raise NotServing(lines[-1].removeprefix("cannot check: "))
    report: dict[str, Any] = json.loads(outcome.stdout)
    return report
