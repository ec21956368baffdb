"""The input file: its lines, decompressed if it is gzip, and how much of it has been read."""

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

GZIP_MAGIC = b"\x1f\x8b"
BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class InputFile:
    """An open input file: ``raw`` is the file itself, ``text`` its decompressed content."""

    raw: IO[bytes]
    text: IO[bytes]
    size_bytes: int

    def share_of(self, text_bytes: int) -> float:
        """Return the share of the file, from 0 to 1, that this many bytes of its content are.

        For gzip, this assumes that the rest is compressed as much as the part that has been read.
        """
        if not self.size_bytes or not self.text.tell():
            return 0.0
        share_read = self.raw.tell() / self.size_bytes
        return min(share_read * text_bytes / self.text.tell(), 1.0)

    def lines(self, max_bytes: int | None) -> Iterator[bytes]:
        """Yield the lines with their line endings; raises JobFailed.

        A line longer than ``max_bytes`` is yielded in pieces; the first has ``max_bytes`` + 1
        bytes, so it is recognizably too long.
        """
        limit = -1 if max_bytes is None else max_bytes + 1
        try:
            yield from iter(lambda: self.text.readline(limit), b"")
        except (EOFError, OSError, zlib.error) as error:
            raise JobFailed(f"cannot read {self.raw.name}: {error}") from error


@contextmanager
def open_input(path: Path) -> Iterator[InputFile]:
    """Open a file, and decompress it if its first bytes are those of gzip; raises JobFailed.

    In SageMaker the job must set CompressionType to Gzip instead.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise JobFailed(f"cannot read {path}: {error.strerror}") from error
    with raw:
        is_gzip = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        raw.seek(0)
        text: IO[bytes] = raw
        if is_gzip:
            text = io.BufferedReader(gzip.GzipFile(fileobj=raw), BUFFER_BYTES)
        yield InputFile(raw, text, os.fstat(raw.fileno()).st_size)
