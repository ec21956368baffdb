"""The input: its lines, unpacked if it is gzip, and how far they are read."""

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local_test.batch.errors import JobFailed

GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Source:
    """A file open for reading: raw as it lies there, and its text's bytes."""

    raw: IO[bytes]
    text: IO[bytes]
    size: int

    def position(self) -> int:
        """Return how many of the file's bytes are read."""
        return self.raw.tell()

    def lines(self, longest: int | None) -> Iterator[bytes]:
        """Yield each line with its end, or of one that is longer than a payload just enough to tell; raises JobFailed."""
        try:
            yield from iter(lambda: self.text.readline(-1 if longest is None else longest + 1), b"")
        except (EOFError, OSError, zlib.error) as error:
            raise JobFailed(f"the input cannot be read: {error}") from error


@contextmanager
def reading(path: Path) -> Iterator[Source]:
    """Open a file, gzip or not by its first bytes, as CompressionType says it on the service; raises JobFailed."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise JobFailed(f"the input cannot be read: {error}") from error
    with raw:
        packed = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        text: IO[bytes] = io.BufferedReader(gzip.GzipFile(fileobj=raw), 1 << 20) if packed else raw
        yield Source(raw, text, os.fstat(raw.fileno()).st_size)
