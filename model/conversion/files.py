"""Write files that are complete even after an interruption."""

import os
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file completely, or not at all; its directory is created if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
