"""The input: its lines, unpacked if it is gzip, and how far they are read."""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local_test.transform.errors import JobFailed

GZIP = b"\x1f\x8b"
# How much of the first two lines tells whether the first is a header.
HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Header:
    """A first line of names, and what becomes of it: drop, repeat or send."""

    line: bytes
    fate: str


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


def header_of(path: Path) -> bytes | None:
    """Return the first line of CSV if it seems to be a header: no number in it, and numbers in the line below."""
    with reading(path) as source:
        lines = source.lines(HEAD_BYTES)
        first, second = next(lines, b""), next(lines, b"")
    cells = _cells(first)
    return first if cells and not any(map(_is_number, cells)) and any(map(_is_number, _cells(second))) else None


def _cells(line: bytes) -> list[str]:
    text = line.decode("utf-8", "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").rstrip("\r\n")
    try:
        return [cell for row in csv.reader([text.replace(";", ",").replace("\t", ",").replace("|", ",")]) for cell in row]
    except csv.Error:  # a cell longer than the module takes
        return []


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
