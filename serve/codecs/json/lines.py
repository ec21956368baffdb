"""application/jsonlines: one line of JSON per record.

Source: contract 3.17 and 5.15.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.codecs.csv.fast_matrix import parse_json_lines_matrix
from serve.codecs.json.parser import parse_lines
from serve.codecs.json.rows import rows_to_records
from serve.codecs.json.text import format_objects
from serve.codecs.lines import BYTE_ORDER_MARK, split_slices, strip_blank_end
from serve.codecs.row_limits import check_last_line
from serve.columns import Columns
from serve.errors import MalformedPayload
from serve.records import Matrix, Records
from serve.schema.schema import Schema

CONCATENATES = True


def decode(payload: bytes, parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the lines as records, without trailing blank lines.

    Raises MalformedPayload and SchemaMismatch.
    """
    lines, names = split_header(payload, parameters, schema)
    first_row = 1
    for part in split_slices(lines):
        yield from read_lines(part, first_row, names, schema)
        first_row += part.count(b"\n") + 1


def split_header(
    payload: bytes, _parameters: Mapping[str, str], _schema: Schema
) -> tuple[bytes, None]:
    """Return all lines, because JSON Lines have no header; raises MalformedPayload."""
    lines = strip_blank_end(payload.removeprefix(BYTE_ORDER_MARK))
    if not lines.strip():
        raise MalformedPayload("expected JSON Lines, got only blank lines")
    return lines, None


def read_lines(
    lines: bytes, first_row: int, _names: tuple[str, ...] | None, schema: Schema
) -> Iterator[Records]:
    """Yield lines as records, the first of which is row ``first_row``.

    Raises MalformedPayload and SchemaMismatch.
    """
    check_last_line(lines, first_row, schema)
    matrix = parse_json_lines_matrix(lines, schema)
    if matrix is not None:
        yield Matrix(matrix, first_row, accepted=True)
    else:
        yield from rows_to_records(parse_lines(lines, first_row), first_row, None, schema)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return one line per record, ``{"score": x}``."""
    return format_scores(predictions, b"\n") + b"\n" if len(predictions) else b""


def encode_columns(columns: Columns) -> bytes:
    """Return one line per record, an object with a key per column."""
    return b"".join(line + b"\n" for line in format_objects(columns))


def join(encoded: list[bytes]) -> list[bytes]:
    """Return the encoded slices, which are a response one after the other."""
    return encoded


def format_scores(predictions: NDArray[np.float32], separator: bytes) -> bytes:
    """Return ``{"score": x}`` for each record; several values per record are a list x.

    Each number is the shortest text that round-trips to the same float32; NaN and infinity are
    null.
    """
    if not len(predictions):
        return b""
    text = orjson.dumps(np.ascontiguousarray(predictions), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    if predictions.ndim == 1:
        text = text.replace(b",", b"}" + separator + b'{"score": ')
    else:
        text = text.replace(b"],[", b"]}" + separator + b'{"score": [')
    return b'{"score": ' + text + b"}"
