"""text/csv: a line for each record, with or without a header.

Source: RFC 4180; contract 3.16, 3.18, 5.6 and 5.7.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.codecs.cells import texts_of
from serve.codecs.csv_dialect import with_commas
from serve.codecs.fast_matrix import matrix_of_lines
from serve.codecs.lines import BYTE_ORDER_MARK, slices_of_lines, text_of, without_blank_end
from serve.columns import Columns, ValuesByName
from serve.errors import MalformedPayload, SchemaMismatch
from serve.records import Records
from serve.schema.schema import Schema

CONCATENATES = True

SLICE_ROWS = 10_000


def decode(payload: bytes, parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the lines as records.

    ``header=present`` and ``header=absent`` among the parameters say whether the first line holds names; without them it does
    if it holds exactly the schema's names and cannot be a record. ``delimiter`` and ``label_size`` are read too.
    Raises MalformedPayload, SchemaMismatch and UnsupportedMediaType.
    """
    body = with_commas(payload.removeprefix(BYTE_ORDER_MARK), parameters)
    quoted = b'"' in body
    if b"\r" in body and not quoted:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    names, header_end = _header(body, parameters, schema)
    body = body[header_end:]
    if header_end and quoted and b'"' not in body:
        quoted, body = False, body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not body or (schema.width > 1 and not body.strip()):
        yield Records([], textual=True, names=names)
        return
    body = _ended(body, schema)
    first_row = 1
    for part in [body] if quoted else slices_of_lines(body):
        for rows in _parsed(part, first_row, names, schema):
            yield Records(
                rows, textual=not isinstance(rows, np.ndarray), first_row=first_row, names=names
            )
            first_row += len(rows)


def framed(
    payload: bytes, parameters: Mapping[str, str], schema: Schema
) -> tuple[bytes | None, tuple[str, ...] | None]:
    """Return the lines that are records, None where there are none, and the names of a header; raises as ``decode`` does."""
    body = with_commas(payload.removeprefix(BYTE_ORDER_MARK), parameters)
    body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    names, header_end = _header(body, parameters, schema)
    body = body[header_end:]
    return _ended(body, schema) if body and (schema.width == 1 or body.strip()) else None, names


def records(
    lines: bytes, first_row: int, names: tuple[str, ...] | None, schema: Schema
) -> Iterator[Records]:
    """Yield a body's lines from this row on as records; raises MalformedPayload."""
    for rows in _parsed(lines, first_row, names, schema):
        yield Records(
            rows, textual=not isinstance(rows, np.ndarray), first_row=first_row, names=names
        )
        first_row += len(rows)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return a line for each record, its values with commas between; each reads back to the same float32."""
    if not len(predictions):
        return b""
    if not np.isfinite(
        predictions
    ).all():  # orjson writes null, which no reader of CSV takes for a number
        return "".join(
            ",".join(map(str, np.atleast_1d(values))) + "\n" for values in predictions
        ).encode()
    text = orjson.dumps(np.ascontiguousarray(predictions), option=orjson.OPT_SERIALIZE_NUMPY)
    return (
        text[1:-1].replace(b",", b"\n") + b"\n"
        if predictions.ndim == 1
        else text[2:-2].replace(b"],[", b"\n") + b"\n"
    )


def encode_columns(columns: Columns) -> bytes:
    """Return a line for each record, a cell for each column; lists are quoted, ``"[0.1, 0.9]"``, and null is nan.

    A column of values under names is a cell for each name.
    """
    cells: list[list[bytes]] = []
    for column in columns.values() if columns and len(next(iter(columns.values()))) else ():
        of_names = (
            [column.values[:, place] for place in range(len(column.names))]
            if isinstance(column, ValuesByName)
            else [column]
        )
        cells += [[_cell(text) for text in texts_of(values)] for values in of_names]
    return b"".join(b",".join(row) + b"\n" for row in zip(*cells, strict=True))


def _cell(text: bytes) -> bytes:
    text = text.replace(b"null", b"nan")
    return b'"' + text + b'"' if text.startswith(b"[") else text


def _ended(body: bytes, schema: Schema) -> bytes:
    """Return the lines without the last one's end, and without blank last lines unless those are records of one column."""
    return without_blank_end(body) if schema.width > 1 else body.removesuffix(b"\n")


def _header(
    body: bytes, parameters: Mapping[str, str], schema: Schema
) -> tuple[tuple[str, ...] | None, int]:
    """Return the names of the first line and where it ends, or None and 0 if that line is a record."""
    declared = parameters.get("header", "").lower()
    if declared not in ("", "present", "absent"):
        raise MalformedPayload(f"header={declared}: expected header=present or header=absent")
    if declared == "present" and schema.names is None:
        raise SchemaMismatch(
            "header=present: the model knows no column names: send its columns in order and no header"
        )
    if declared == "absent" or schema.names is None:
        return None, 0
    if not declared and not _may_be_names(body, schema.names):
        return None, 0
    cells, end = _first_line(body)
    names = tuple(cell.strip() for cell in cells)
    if declared == "present" or (
        sorted(names) == sorted(schema.names) and not schema.reads_as_record(names)
    ):
        return names, end
    return None, 0


def _may_be_names(body: bytes, names: Sequence[str]) -> bool:
    """Tell whether the first line may hold the names: not without the first of them, unless quotes change how that is written."""
    end = body.find(b"\n")
    return '"' in names[0] or names[0].encode() in (body if end < 0 else body[:end])


def _first_line(body: bytes) -> tuple[list[str], int]:
    """Return the cells of the first line, which may hold line ends in quotes, and where it ends."""
    end = 0

    def lines() -> Iterator[str]:
        nonlocal end
        while end < len(body):
            start, end = end, body.find(b"\n", end) + 1 or len(body)
            yield text_of(body[start:end], 1)

    try:
        return next(csv.reader(lines(), strict=True), []), end
    except csv.Error as error:
        raise MalformedPayload(f"row 1: this is no CSV: {error}") from error


def _parsed(
    lines: bytes, first_row: int, names: tuple[str, ...] | None, schema: Schema
) -> Iterable[list[list[str]] | NDArray[np.float32]]:
    """Return some lines as one matrix if they are plain, else as rows of text in slices."""
    arranged = schema.arranged(names)
    matrix = matrix_of_lines(lines, arranged) if arranged else None
    return _rows(lines, first_row, schema) if matrix is None else (matrix,)


def _rows(part: bytes, first_row: int, schema: Schema) -> Iterator[list[list[str]]]:
    """Yield the rows of some lines in slices, cell by cell."""
    reader = csv.reader(io.StringIO(text_of(part, first_row) + "\n", newline=""), strict=True)
    while rows := _next_rows(reader, first_row):
        if [] in rows:
            if schema.width > 1:
                raise MalformedPayload(
                    f"row {first_row + rows.index([])}: the line is blank; only the last lines may be"
                )
            rows = [row or [""] for row in rows]
        yield rows
        first_row += len(rows)


def _next_rows(reader: Iterator[list[str]], first_row: int) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(islice(reader, SLICE_ROWS))
    except csv.Error as error:
        raise MalformedPayload(f"row {first_row + len(rows)}: this is no CSV: {error}") from error
    return rows
