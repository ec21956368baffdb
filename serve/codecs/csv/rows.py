"""CSV rows: read the cells of lines that are not plain numbers and known labels."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from serve.codecs.csv.text import CsvText, RowTooLong
from serve.codecs.row_limits import describe_long_row
from serve.diagnosis.invalid_csv import explain_invalid_csv
from serve.errors import MalformedPayload, SchemaMismatch
from serve.schema.schema import Schema


def read_rows(slices: Iterable[bytes], first_row: int, schema: Schema) -> Iterator[list[list[str]]]:
    """Yield the cells of slices of lines in batches of rows.

    Raises MalformedPayload, and SchemaMismatch for a header among the records.
    """
    text = CsvText(slices, first_row, schema)
    while rows := _next_rows(text, first_row, schema):
        if [] in rows:
            rows = _read_blank_lines(rows, first_row, schema)
        if schema.accepts_unknown_labels:
            _check_records(rows, first_row, schema)
        yield rows
        first_row += len(rows)


def _next_rows(text: CsvText, first_row: int, schema: Schema) -> list[list[str]]:
    try:
        return text.read_batch()
    except csv.Error as error:
        row = first_row + len(text.rows)
        raise explain_invalid_csv(error, f"row {row}", text.start) from error
    except RowTooLong as error:
        row = first_row + len(text.rows)
        raise MalformedPayload(describe_long_row(row, schema.width)) from error


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
