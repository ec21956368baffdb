"""Split an uploaded CSV file into records without changing their bytes."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

MAX_RECORD_BYTES = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BadFile(Exception):
    """The file cannot be predicted; the message says what to change in it."""


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """A record's bytes, its line ending, and the line of the file that it begins on, from 1."""

    body: bytes
    line_ending: bytes
    line: int

    @property
    def is_blank(self) -> bool:
        return not self.body.strip()


def split_records(file: IO[bytes]) -> Iterator[CsvRecord]:
    """Yield the records of a CSV file; a quoted record may span lines. Raises BadFile."""
    lines: list[bytes] = []
    size, quotes, first_line = 0, 0, 1
    for number, line in enumerate(_read_lines(file), 1):
        lines.append(line)
        size += len(line)
        quotes += line.count(b'"')
        if size > MAX_RECORD_BYTES:
            raise BadFile(
                f"line {first_line}: the record is longer than {MAX_RECORD_BYTES >> 20} MiB; "
                "check for a missing closing quote"
            )
        if quotes % 2 == 0:
            yield _build_record(b"".join(lines), first_line)
            lines, size, quotes, first_line = [], 0, 0, number + 1
    if lines:
        raise BadFile(f"line {first_line}: a quote is opened but not closed")


def parse_cells(body: bytes, delimiter: str) -> list[str]:
    """Return the cells of a record; raises csv.Error."""
    text = body.decode("utf-8", "replace")
    return next(csv.reader([text], delimiter=delimiter), [])


def _read_lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(MAX_RECORD_BYTES + 1):
        yield line


def _build_record(text: bytes, line: int) -> CsvRecord:
    body = text.rstrip(b"\r\n")
    return CsvRecord(body, text[len(body) :], line)
