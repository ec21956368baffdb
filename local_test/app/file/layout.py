"""The layout of an uploaded CSV file: its delimiter, and its header if it has one."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from local_test.app.file.header_check import check_ambiguity, check_names
from local_test.app.file.records import BadFile, CsvRecord, parse_cells
from local_test.app.schema import Schema
from serve.column_names import match_names
from serve.media.types import DELIMITERS

DELIMITER_CHOICES = ("comma", "semicolon", "tab", "pipe")


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The name of the delimiter, one of DELIMITER_CHOICES, and the header."""

    delimiter: str
    header: CsvRecord | None

    @property
    def content_type(self) -> str:
        header = "present" if self.header else "absent"
        delimiter = "" if self.delimiter == "comma" else f"; delimiter={self.delimiter}"
        return f"text/csv; header={header}{delimiter}"

    def count_columns(self, schema: Schema) -> int:
        """Return the number of columns of the file, which may include ignored ones."""
        if self.header is None:
            return len(schema.features)
        return len(parse_cells(self.header.body, DELIMITERS[self.delimiter]))

    def build_payload(self, records: Iterable[CsvRecord]) -> bytes:
        """Return the records as a CSV payload, with the file's header if it has one."""
        lines = [self.header.body] if self.header else []
        lines += [record.body for record in records]
        return b"\n".join([*lines, b""])

    def describe_mismatch(self, record: CsvRecord, schema: Schema) -> str:
        """Return why a record does not fit the schema, or an empty string if its shape is right.

        This replaces the endpoint's message for such a record, which is written for the author
        of the request: it suggests HTTP headers, and the page has no field for those.
        """
        try:
            cells = parse_cells(record.body, DELIMITERS[self.delimiter])
        except csv.Error:
            return ""
        expected_width = self.count_columns(schema)
        if len(cells) != expected_width:
            noun = "column" if expected_width == 1 else "columns"
            return f"expected {expected_width} {noun}, got {len(cells)}"
        if _looks_like_json(record.body, schema):
            return "expected CSV, got JSON"
        return ""


def detect_layout(
    records: Iterator[CsvRecord], schema: Schema, delimiter: str
) -> tuple[CsvLayout, Iterable[CsvRecord]]:
    """Return a file's layout, and its records without the header.

    Raises:
        BadFile: the first line is not CSV, has another delimiter, or has other column names.
    """
    first = next(records, None)
    if first is None:
        raise BadFile("the file is empty")
    _check_file_type(first.body, schema)
    all_cells = match_names(_parse_first_line(first, DELIMITERS[delimiter]), schema.names)
    cells = [cell for cell in all_cells if cell.strip() not in schema.ignored]
    if schema.is_named and sorted(cells) == sorted(schema.names):
        if len(cells) == len(all_cells):
            check_ambiguity(cells, schema)
        return CsvLayout(delimiter, first), records
    _check_delimiter(first, schema, delimiter, len(cells))
    check_names(cells, schema)
    return CsvLayout(delimiter, None), chain([first], records)


def _parse_first_line(first: CsvRecord, delimiter: str) -> list[str]:
    try:
        return parse_cells(first.body, delimiter)
    except csv.Error as error:
        raise BadFile(f"the first line is invalid CSV: {error}") from error


def _check_file_type(body: bytes, schema: Schema) -> None:
    if _looks_like_json(body, schema):
        raise BadFile("expected a CSV file with one record per line, got JSON")
    try:
        is_text = "\0" not in body.decode()
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        raise BadFile("the file is not UTF-8 text; in a spreadsheet, save it as “CSV UTF-8”")


def _looks_like_json(body: bytes, schema: Schema) -> bool:
    """Return whether a record begins like JSON where the first column is a number."""
    return body.lstrip()[:1] in (b"{", b"[") and not schema.features[0].options


def _check_delimiter(first: CsvRecord, schema: Schema, delimiter: str, width: int) -> None:
    expected_width = len(schema.features)
    if expected_width in (width, 1):
        return
    for name in DELIMITER_CHOICES:
        character = DELIMITERS[name]
        if len(_parse_first_line(first, character)) == expected_width:
            raise BadFile(
                f"the delimiter of the first line is a {name}, not a {delimiter}; "
                f"choose “{name}” and upload the file again"
            )
