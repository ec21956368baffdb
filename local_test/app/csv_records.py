"""The records of an uploaded file, as the bytes that they are."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

MAX_RECORD_BYTES = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BadFile(Exception):
    """The file cannot be cut into records."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record's bytes, without its line end and with it apart, and the line of the file that it begins in."""

    body: bytes
    line_end: bytes
    line: int

    @property
    def blank(self) -> bool:
        return not self.body.strip()


def records(file: IO[bytes]) -> Iterator[Record]:
    """Yield the records of CSV; a line end in quotes belongs to its record. Raises BadFile."""
    held: list[bytes] = []
    size, quotes, begin = 0, 0, 1
    for place, line in enumerate(_lines(file), 1):
        held.append(line)
        size += len(line)
        quotes += line.count(b'"')
        if size > MAX_RECORD_BYTES:
            raise BadFile(
                f"line {begin}: a record is longer than {MAX_RECORD_BYTES >> 20} MiB; is a quote left open?"
            )
        if quotes % 2 == 0:
            yield _record(b"".join(held), begin)
            held, size, quotes, begin = [], 0, 0, place + 1
    if held:
        raise BadFile(f"line {begin}: a quote is opened and never closed")


def cells(body: bytes, delimiter: str) -> list[str]:
    """Return the cells of the first record; raises BadFile."""
    text = body.decode("utf-8", "replace")
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error as error:
        raise BadFile(f"the first line is no CSV: {error}") from error


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(MAX_RECORD_BYTES + 1):
        yield line


def _record(held: bytes, line: int) -> Record:
    body = held.rstrip(b"\r\n")
    return Record(body, held[len(body) :], line)
