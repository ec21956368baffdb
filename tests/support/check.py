"""Run the entrypoint's command `check`."""

import io
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

from container.entrypoint import main
from tests.support.server import ENTRYPOINT


class Outcome(NamedTuple):
    """The output and the error of a command; ``error`` is empty if the command succeeded."""

    output: str
    error: str


def run_check(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run `entrypoint.py check` with these arguments as a process, which takes a second."""
    command = [sys.executable, str(ENTRYPOINT), "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def check(*arguments: str | Path) -> Outcome:
    """Run `entrypoint.py check` with these arguments in this process, which takes milliseconds."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    error = ""
    with redirect_stdout(output):
        try:
            main(["check", *map(str, arguments)])
        except SystemExit as exit_:
            error = str(exit_.code)
    output.flush()
    return Outcome(output.buffer.getvalue().decode(), error)


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files of these paths relative to a folder, and return the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
