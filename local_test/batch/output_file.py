"""The output file, which is written atomically."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local_test.batch.errors import JobFailed


@contextmanager
def replace_output(path: Path) -> Iterator[IO[bytes]]:
    """Yield a temporary file that replaces ``path`` if the block succeeds.

    If the block fails, the temporary file is removed and ``path`` remains as it was.

    Raises:
        JobFailed: the file cannot be written.
    """
    if path.exists() and not path.is_file():
        raise JobFailed(f"cannot write {path}: not a regular file; choose another OUTPUT")
    try:
        descriptor, name = tempfile.mkstemp(dir=path.resolve().parent, prefix=f".{path.name}.")
    except OSError as error:
        raise JobFailed(f"cannot write to {path.parent}: {error.strerror}") from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        temporary.chmod(0o666 & ~_read_umask())
        temporary.replace(path.resolve())
    except OSError as error:
        raise JobFailed(f"cannot write {path}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _read_umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
