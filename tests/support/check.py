"""Run `check` as the image's entrypoint does, in this process, which takes milliseconds."""

import io
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from container.entrypoint import main


class Outcome(NamedTuple):
    """What a command printed; ``error`` is empty if it succeeded."""

    output: str
    error: str


def check(*arguments: str | Path) -> Outcome:
    """Return the outcome of `entrypoint.py check` with these arguments."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    error = ""
    with (
        patch.object(sys, "argv", ["entrypoint.py", "check", *map(str, arguments)]),
        redirect_stdout(output),
    ):
        try:
            main()
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
