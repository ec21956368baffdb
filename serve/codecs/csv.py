"""text/csv: one line per record, with or without a header.

fast_matrix.py converts plain lines to numbers, and schema/feature.py converts all other cells.
Source: RFC 4180; contract 3.16, 3.18, 5.6 and 5.7.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.codecs.csv_dialect import normalize_delimiter, parse_header
from serve.codecs.fast_matrix import parse_csv_matrix
from serve.codecs.json_text import format_values
from serve.codecs.lines import BYTE_ORDER_MARK, decode_text, split_slices, strip_blank_end
from serve.columns import Column, Columns, ValuesByName
from serve.errors import MalformedPayload, SchemaMismatch
from serve.records import Matrix, Records, Rows
from serve.schema.schema import Schema

CONCATENATES = True

SLICE_ROWS = 10_000

Names = tuple[str, ...] | None


def decode(payload: bytes, parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the lines as records.

    The first line is a header if the parameters contain ``header=present``. Without a ``header``
    parameter, it is a header if it contains exactly the schema's names and could not be a record.
    The parameters ``delimiter`` and ``label_size`` are also supported.
    Raises MalformedPayload, SchemaMismatch and UnsupportedMediaType.
    """
    body = normalize_delimiter(payload.removeprefix(BYTE_ORDER_MARK), parameters)
    has_quotes = b'"' in body
    if not has_quotes:
        body = _normalize_line_endings(body)
    names, header_end = _read_header(body, parameters, schema)
    body = body[header_end:]
    if header_end and has_quotes and b'"' not in body:
        has_quotes, body = False, _normalize_line_endings(body)
    if _is_blank(body, schema):
        yield Rows([], textual=True, names=names)
        return
    body = _strip_end(body, schema)
    first_row = 1
    for lines in [body] if has_quotes else split_slices(body):
        for part in read_lines(lines, first_row, names, schema):
            yield part
            first_row += len(part)


def split_header(
    payload: bytes, parameters: Mapping[str, str], schema: Schema
) -> tuple[bytes | None, Names]:
    """Return the lines below the header and the header's names; either may be None.

    Raises the same errors as ``decode``.
    """
    body = normalize_delimiter(payload.removeprefix(BYTE_ORDER_MARK), parameters)
    body = _normalize_line_endings(body)
    names, header_end = _read_header(body, parameters, schema)
    body = body[header_end:]
    return None if _is_blank(body, schema) else _strip_end(body, schema), names


def read_lines(lines: bytes, first_row: int, names: Names, schema: Schema) -> Iterator[Records]:
    """Yield lines below the header as records: a matrix of plain numbers, otherwise rows.

    Raises MalformedPayload.
    """
    reordered = schema.reorder(names)
    numbers = parse_csv_matrix(lines, reordered) if reordered else None
    if numbers is not None:
        yield Matrix(numbers, first_row, names, accepted=True)
        return
    for cells in _read_cells(lines, first_row, schema):
        yield Rows(cells, textual=True, first_row=first_row, names=names)
        first_row += len(cells)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return one line per record, with its values separated by commas.

    Each value is the shortest text that round-trips to the same float32.
    """
    if not len(predictions):
        return b""
    if not np.isfinite(predictions).all():
        return _encode_non_finite(predictions)
    text = orjson.dumps(np.ascontiguousarray(predictions), option=orjson.OPT_SERIALIZE_NUMPY)
    if predictions.ndim == 1:
        return text[1:-1].replace(b",", b"\n") + b"\n"
    return text[2:-2].replace(b"],[", b"\n") + b"\n"


def encode_columns(columns: Columns) -> bytes:
    """Return one line per record, with one cell per column.

    A list becomes one quoted cell (``"[0.1, 0.9]"``), null becomes ``nan``, and ValuesByName
    becomes one cell per name.
    """
    cells = [
        [_format_cell(text) for text in format_values(values)]
        for column in columns.values()
        for values in _split_by_name(column)
        if len(values)
    ]
    return b"".join(b",".join(row) + b"\n" for row in zip(*cells, strict=True))


def _encode_non_finite(predictions: NDArray[np.float32]) -> bytes:
    """Encode NaN and infinity as ``nan`` and ``inf``; orjson would write null."""
    lines = [",".join(map(str, np.atleast_1d(values))) + "\n" for values in predictions]
    return "".join(lines).encode()


def _split_by_name(column: Column) -> list[NDArray[np.float32]]:
    if isinstance(column, ValuesByName):
        return [column.values[:, index] for index in range(len(column.names))]
    return [column]


def _format_cell(text: bytes) -> bytes:
    text = text.replace(b"null", b"nan")
    return b'"' + text + b'"' if text.startswith(b"[") else text


def _normalize_line_endings(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in body else body


def _is_blank(body: bytes, schema: Schema) -> bool:
    """Return whether a body contains no records; with one column, a blank line is a record."""
    return not body or (schema.width > 1 and not body.strip())


def _strip_end(body: bytes, schema: Schema) -> bytes:
    """Return the lines without the final line ending and without trailing blank lines.

    With one column, blank lines are records and are not removed.
    """
    return strip_blank_end(body) if schema.width > 1 else body.removesuffix(b"\n")


def _read_header(body: bytes, parameters: Mapping[str, str], schema: Schema) -> tuple[Names, int]:
    """Return the names in the header and its end, or (None, 0) if the first line is a record."""
    declared = parse_header(parameters)
    if declared == "present" and schema.names is None:
        raise SchemaMismatch(
            "header=present: the model has no column names; "
            "send the columns in order and without a header"
        )
    if declared == "absent" or schema.names is None:
        return None, 0
    if not declared and not _may_contain_names(body, schema.names):
        return None, 0
    cells, end = _read_first_line(body)
    names = tuple(cell.strip() for cell in cells)
    if declared == "present":
        return names, end
    if sorted(names) == sorted(schema.names) and not schema.could_be_record(names):
        return names, end
    return None, 0


def _may_contain_names(body: bytes, names: Sequence[str]) -> bool:
    """Return False if the first line cannot be a header because the first name is not in it."""
    if '"' in names[0]:  # written with doubled quotes
        return True
    end = body.find(b"\n")
    return names[0].encode() in (body if end < 0 else body[:end])


def _read_first_line(body: bytes) -> tuple[list[str], int]:
    """Return the cells of the first line, which may contain quoted line breaks, and its end."""
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        while end < len(body):
            start, end = end, body.find(b"\n", end) + 1 or len(body)
            yield decode_text(body[start:end], 1)

    try:
        return next(csv.reader(lines(), strict=True), []), end
    except csv.Error as error:
        raise MalformedPayload(f"row 1: invalid CSV: {error}") from error


def _read_cells(lines: bytes, first_row: int, schema: Schema) -> Iterator[list[list[str]]]:
    """Yield the cells of the lines in slices of at most SLICE_ROWS rows."""
    text = decode_text(lines, first_row) + "\n"
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while rows := _next_rows(reader, first_row):
        if [] in rows:
            if schema.width > 1:
                raise MalformedPayload(
                    f"row {first_row + rows.index([])}: expected a record, got a blank line; "
                    "only trailing blank lines are ignored"
                )
            rows = [row or [""] for row in rows]
        yield rows
        first_row += len(rows)


def _next_rows(reader: Iterator[list[str]], first_row: int) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(islice(reader, SLICE_ROWS))
    except csv.Error as error:
        raise MalformedPayload(f"row {first_row + len(rows)}: invalid CSV: {error}") from error
    return rows
