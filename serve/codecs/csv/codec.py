"""text/csv: one line per record, with or without a header.

fast_matrix.py converts plain lines to numbers, and schema/feature.py converts all other cells.
Source: RFC 4180; contract 3.16, 3.18, 5.6 and 5.7.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.codecs.csv.columns import format_columns
from serve.codecs.csv.dialect import normalize_delimiter
from serve.codecs.csv.fast_matrix import parse_csv_matrix
from serve.codecs.csv.header import read_header
from serve.codecs.csv.ignored import drop_ignored_cells
from serve.codecs.csv.rows import read_rows
from serve.codecs.lines import (
    BYTE_ORDER_MARK,
    normalize_line_endings,
    split_slices,
    strip_blank_end,
)
from serve.codecs.row_limits import check_last_line
from serve.columns import Columns
from serve.errors import MalformedPayload
from serve.records import Matrix, Records, Rows
from serve.schema.schema import Schema

CONCATENATES = True

Names = tuple[str, ...] | None


def decode(payload: bytes, parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the lines as records.

    ``read_header`` decides whether the first line is a header. The parameters ``delimiter`` and
    ``label_size`` are also supported.
    Raises MalformedPayload, SchemaMismatch and UnsupportedMediaType.
    """
    body = normalize_delimiter(payload.removeprefix(BYTE_ORDER_MARK), parameters, schema)
    has_quotes = b'"' in body
    if not has_quotes:
        body = normalize_line_endings(body)
    names, header_end = read_header(body, parameters, schema)
    body = body[header_end:]
    if header_end and has_quotes and b'"' not in body:
        has_quotes, body = False, normalize_line_endings(body)
    if _is_blank(body, names, schema):
        _check_declared_empty(parameters, has_header=names is not None)
        yield Rows([], textual=True, names=names)
        return
    body = _strip_end(body, names, schema)
    first_row = 1
    if has_quotes:
        yield from _read_rows(split_slices(body), first_row, names, schema)
        return
    for lines in split_slices(body):
        for part in read_lines(lines, first_row, names, schema):
            yield part
            first_row += len(part)


def split_header(
    payload: bytes, parameters: Mapping[str, str], schema: Schema
) -> tuple[bytes | None, Names]:
    """Return the lines below the header and the header's names; either may be None.

    Raises the same errors as ``decode``.
    """
    body = normalize_delimiter(payload.removeprefix(BYTE_ORDER_MARK), parameters, schema)
    body = normalize_line_endings(body)
    names, header_end = read_header(body, parameters, schema)
    body = body[header_end:]
    if _is_blank(body, names, schema):
        _check_declared_empty(parameters, has_header=names is not None)
        return None, names
    return _strip_end(body, names, schema), names


def read_lines(lines: bytes, first_row: int, names: Names, schema: Schema) -> Iterator[Records]:
    """Yield lines below the header as records: a matrix of plain numbers, otherwise rows.

    Raises MalformedPayload.
    """
    check_last_line(lines, first_row, schema, b",")
    plain_lines, plain_names = lines, names
    if schema.ignored:
        plain_lines, plain_names = drop_ignored_cells(lines, names, schema)
    reordered = schema.reorder(plain_names)
    numbers = parse_csv_matrix(plain_lines, reordered) if reordered else None
    if numbers is not None:
        yield Matrix(numbers, first_row, plain_names, accepted=True)
    else:
        yield from _read_rows([lines], first_row, names, schema)


def _read_rows(
    slices: Iterable[bytes], first_row: int, names: Names, schema: Schema
) -> Iterator[Records]:
    for cells in read_rows(slices, first_row, schema):
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
    """Return one line per record, with one cell per column, or per name of ValuesByName."""
    return format_columns(columns)


def join(encoded: list[bytes]) -> list[bytes]:
    """Return the encoded slices, which are a response one after the other."""
    return encoded


def _encode_non_finite(predictions: NDArray[np.float32]) -> bytes:
    """Encode NaN and infinity as ``nan`` and ``inf``; orjson would write null."""
    lines = [",".join(map(str, np.atleast_1d(values))) + "\n" for values in predictions]
    return "".join(lines).encode()


def _is_blank(body: bytes, names: Names, schema: Schema) -> bool:
    """Return whether a body contains no records; with one column, a blank line is a record."""
    return not body or (len(names or schema.features) > 1 and not body.strip())


def _check_declared_empty(parameters: Mapping[str, str], *, has_header: bool) -> None:
    """Reject a payload without records, unless header=present declares its first line."""
    if parameters.get("header", "").lower() == "present":
        return
    if not has_header:
        raise MalformedPayload("expected a record, got only blank lines")
    raise MalformedPayload(
        "expected a record below the header, got none; "
        "send header=present if the payload is empty on purpose"
    )


def _strip_end(body: bytes, names: Names, schema: Schema) -> bytes:
    """Return the lines without the final line ending and without trailing blank lines.

    With one column, blank lines are records and are not removed.
    """
    if len(names or schema.features) > 1:
        return strip_blank_end(body)
    return body.removesuffix(b"\n")
