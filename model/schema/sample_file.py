"""Read a CSV sample as text, in parts, so its size is not limited by memory."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import pandas as pd

from model.schema.errors import CannotDescribe
from serve.column_names import match_names
from serve.text import is_number

GZIP_MAGIC = b"\x1f\x8b"
DELIMITERS = (",", ";", "\t", "|")
ENCODING = "utf-8-sig"
PART_ROWS = 50_000
UNREADABLE = (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error)


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A CSV file; ``header`` is None if its first line is a record."""

    path: Path
    delimiter: str
    header: tuple[str, ...] | None
    width: int

    def read_parts(self) -> Iterator[pd.DataFrame]:
        """Yield the records, with numbered columns of text; raises CannotDescribe."""
        try:
            with _open(self.path) as file:
                rows = self._read_rows(file)
                while part := list(islice(rows, PART_ROWS)):
                    yield pd.DataFrame(part, dtype=str)
        except UNREADABLE as error:
            raise CannotDescribe(f"{self.path}: {_explain(error)}") from error

    def _read_rows(self, file: IO[str]) -> Iterator[list[str]]:
        """Yield the records without the header and blank lines; raises CannotDescribe."""
        reader = csv.reader(file, delimiter=self.delimiter, strict=True)
        if self.header:
            next(reader)
        for row in reader:
            if len(row) == self.width:
                yield row
            elif row:
                raise CannotDescribe(
                    f"{self.path}: line {reader.line_num:,}: expected {self.width:,} cells, "
                    f"as in the first line, got {len(row):,}"
                )


def open_sample(path: Path, names: Sequence[str] | None) -> SampleFile:
    """Return the layout of a sample; raises CannotDescribe.

    ``names`` are the model's: a first line that contains them all is a header, also if they are
    numbers.
    """
    try:
        with _open(path) as file:
            line = file.readline()
            candidates = [_split(line, delimiter) for delimiter in DELIMITERS]
    except UNREADABLE as error:
        raise CannotDescribe(f"{path}: {_explain(error)}") from error
    cells = max(candidates, key=len)
    if not any(cell.strip() for cell in cells):
        raise CannotDescribe(f"{path}: expected a CSV file with a header, got a blank first line")
    delimiter = DELIMITERS[candidates.index(cells)]
    is_header = not any(map(is_number, cells))
    if names and set(names) <= set(match_names(cells, names)):
        is_header = True
    return SampleFile(path, delimiter, tuple(cells) if is_header else None, len(cells))


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    """Open a file as text, decompressed if its first bytes are those of gzip."""
    with path.open("rb") as raw:
        is_gzip = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        raw.seek(0)
        file = gzip.GzipFile(fileobj=raw) if is_gzip else raw
        yield io.TextIOWrapper(file, encoding=ENCODING, newline="")


def _explain(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "expected CSV in UTF-8, got other bytes: save the file as UTF-8"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"expected CSV: {error}"
