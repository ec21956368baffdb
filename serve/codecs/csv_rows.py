"""CSV rows: read the cells of lines that are not plain numbers and known labels."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

from serve.codecs.lines import decode_text
from serve.diagnosis.file_types import find_binary_hint
from serve.diagnosis.invalid_csv import explain_invalid_csv
from serve.errors import MalformedPayload, SchemaMismatch
from serve.schema.schema import Schema
from serve.text import with_hint

SLICE_ROWS = 10_000
END_OF_FILE = "\x1a"  # written by programs for DOS


def read_rows(lines: bytes, first_row: int, schema: Schema) -> Iterator[list[list[str]]]:
    """Yield the cells of the lines in slices of at most SLICE_ROWS rows.

    Raises MalformedPayload, and SchemaMismatch for a header among the records.
    """
    text = decode_text(lines, first_row) + "\n"
    _check_characters(text, lines, first_row)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while rows := _next_rows(reader, first_row, text):
        if [] in rows:
            rows = _read_blank_lines(rows, first_row, schema)
        if schema.accepts_unknown_labels:
            _check_records(rows, first_row, schema)
        yield rows
        first_row += len(rows)


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


def _next_rows(reader: Iterator[list[str]], first_row: int, text: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(islice(reader, SLICE_ROWS))
    except csv.Error as error:
        raise explain_invalid_csv(error, f"row {first_row + len(rows)}", text) from error
    return rows


def _read_blank_lines(rows: Sequence[list[str]], first_row: int, schema: Schema) -> list[list[str]]:
    """Return the rows with a missing value for each blank line, if the model has one column."""
    if schema.width > 1:
        row = first_row + rows.index([])
        raise MalformedPayload(
            f"row {row}: expected a record, got a blank line; only trailing blank lines are ignored"
        )
    return [row or [""] for row in rows]


def _check_records(rows: Sequence[list[str]], first_row: int, schema: Schema) -> None:
    """Reject rows that are not records, but whose cells all pass as unknown categories."""
    for row, cells in enumerate(rows, first_row):
        has_line_break = any("\n" in cell or "\r" in cell for cell in cells)
        is_header = schema.match_names(cells) is not None
        if not (has_line_break or is_header) or schema.could_be_record(cells):
            continue
        if is_header:
            raise SchemaMismatch(f"row {row}: expected a record, got the header; remove it")
        raise SchemaMismatch(
            f"row {row}: expected one record per line, got a line break in quotes; "
            "check for a missing closing quote"
        )
