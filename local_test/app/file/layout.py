"""The layout of an uploaded CSV file: its delimiter, and its header if it has one."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import contains

from local_test.app.file.records import BadFile, CsvRecord, parse_cells
from local_test.app.schema import Schema
from serve.column_names import match_names
from serve.media.types import DELIMITERS
from serve.text import is_number

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
    if sorted(cells) == sorted(schema.names):
        if len(cells) == len(all_cells):
            _check_ambiguity(cells, schema)
        return CsvLayout(delimiter, first), records
    _check_delimiter(first, schema, delimiter, len(cells))
    _check_names(cells, schema)
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


def _check_ambiguity(cells: Sequence[str], schema: Schema) -> None:
    """Reject a first line that could be either the header or a record; raises BadFile."""
    pairs = zip(cells, schema.features, strict=True)
    if all(cell in feature.options or is_number(cell) for cell, feature in pairs):
        raise BadFile(
            "the first line could be a header or a record; if it is a header, remove it, "
            "otherwise move it below another record"
        )


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


def _check_names(cells: Sequence[str], schema: Schema) -> None:
    """Reject a header with other column names than the schema's; raises BadFile.

    Without this check, cells would be assigned to the schema's columns by position alone.
    """
    if not _looks_like_header(cells, schema):
        return
    problems = {
        "missing": [name for name in schema.names if name not in cells],
        "unknown": [cell for cell in cells if cell not in schema.names],
        "repeated": sorted({cell for cell in cells if cells.count(cell) > 1}),
    }
    details = "; ".join(
        f"{problem}: {', '.join(names)}" for problem, names in problems.items() if names
    )
    raise BadFile(f"the header’s column names do not match the model’s: {details}")


def _looks_like_header(cells: Sequence[str], schema: Schema) -> bool:
    """Return whether most cells are column names, or every cell is a word that is not a value."""
    known = sum(cell in schema.names for cell in cells)
    if 2 * known > len(cells):
        return True
    all_words = bool(cells) and all(cell and not is_number(cell) for cell in cells)
    options = (feature.options for feature in schema.features)
    return all_words and not any(map(contains, options, cells))
