"""CSV text: the lines of a payload for Python's CSV parser, read slice by slice."""

import csv
import io
from collections.abc import Iterable, Iterator

from serve.codecs.lines import SLICE_BYTES, decode_text
from serve.codecs.row_limits import check_last_line, compute_max_row_bytes
from serve.diagnosis.file_types import find_binary_hint
from serve.errors import MalformedPayload
from serve.schema.schema import Schema
from serve.text import with_hint

SLICE_ROWS = 10_000
END_OF_FILE = "\x1a"  # written by programs for DOS


class RowTooLong(Exception):
    """A row, which may consist of several lines, is longer than a row of the model."""


class CsvText:
    """The lines of CSV as text, and the rows that the parser reads from them.

    ``slices`` are parts of a payload without their final line endings. A row may begin in one slice
    and end in another. Raises MalformedPayload, SchemaMismatch, RowTooLong and csv.Error.
    """

    def __init__(
        self, slices: Iterable[bytes], first_row: int, schema: Schema, delimiter: str = ","
    ) -> None:
        self._slices = slices
        self._first_row = first_row
        self._schema = schema
        self._delimiter = delimiter.encode()
        # The characters that the parser has received since the current batch of rows began.
        self._characters = 0
        self.start = ""
        self.rows: list[list[str]] = []
        self.reader = csv.reader(self._read_lines(), delimiter=delimiter, strict=True)

    def read_batch(self) -> list[list[str]]:
        """Return the next rows, about SLICE_BYTES of them, or an empty list at the end.

        After an error, ``rows`` has the rows before it.
        """
        self.rows = rows = []
        self._characters = 0
        for row in self.reader:
            rows.append(row)
            if self._characters > SLICE_BYTES or len(rows) == SLICE_ROWS:
                break
        return rows

    def _read_lines(self) -> Iterator[str]:
        first_row = self._first_row
        limit = SLICE_BYTES + compute_max_row_bytes(self._schema.width)
        for part in self._slices:
            check_last_line(part, first_row, self._schema, self._delimiter)
            text = decode_text(part, first_row) + "\n"
            _check_characters(text, part, first_row)
            self.start = self.start or text
            for line in io.StringIO(text, newline=""):
                self._characters += len(line)
                if self._characters > limit:
                    raise RowTooLong
                yield line
            first_row += part.count(b"\n") + 1


def _check_characters(text: str, lines: bytes, first_row: int) -> None:
    """Reject characters that are not part of text, although they are valid UTF-8."""
    if "\0" in text:
        row = first_row + text.count("\n", 0, text.index("\0"))
        hint = find_binary_hint(lines) if first_row == 1 else ""
        raise MalformedPayload(with_hint(f"row {row}: expected text, got a NUL byte", hint))
    if text.rstrip().endswith(END_OF_FILE):
        row = first_row + text.rstrip().count("\n")
        raise MalformedPayload(
            f"row {row}: expected a record, got the end-of-file character 0x1a; remove it"
        )
