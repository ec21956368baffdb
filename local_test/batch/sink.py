"""The output: a file that appears only when it is whole."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local_test.batch.errors import JobFailed


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Give a temporary file beside the path, which takes its name at the block's end, and goes if the block fails."""
    if path.exists() and not path.is_file():
        raise JobFailed(f"the output {path} exists and is no file: name another with OUTPUT=")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.resolve().parent, prefix=f".{path.name}.")
    except OSError as error:
        raise JobFailed(f"the output cannot be written: {error.strerror}: {path.parent}") from error
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.chmod(0o666 & ~_umask())
        part.replace(path.resolve())
    except OSError as error:
        raise JobFailed(f"the output cannot be written: {error.strerror}: {path}") from error
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    """Return what new files are not allowed; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
