"""application/jsonlines: a line of JSON for each record.

Source: contract 3.17 and 5.15.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.codecs.cells import objects_of
from serve.codecs.json_rows import parse_lines, records_of
from serve.codecs.lines import BYTE_ORDER_MARK, slices_of_lines, without_blank_end
from serve.columns import Columns
from serve.records import Records
from serve.schema.schema import Schema

CONCATENATES = True


def decode(payload: bytes, _parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the lines as records, blank last lines left out; raises MalformedPayload and SchemaMismatch."""
    body = without_blank_end(payload.removeprefix(BYTE_ORDER_MARK))
    first_row = 1
    for part in slices_of_lines(body) if body.strip() else ():
        yield from records(part, first_row, None, schema)
        first_row += part.count(b"\n") + 1


def framed(
    payload: bytes, _parameters: Mapping[str, str], _schema: Schema
) -> tuple[bytes | None, None]:
    """Return the lines that are records, None where there are none, and no names."""
    body = without_blank_end(payload.removeprefix(BYTE_ORDER_MARK))
    return (body if body.strip() else None), None


def records(
    lines: bytes, first_row: int, _names: tuple[str, ...] | None, _schema: Schema
) -> Iterator[Records]:
    """Yield a body's lines from this row on as records; raises MalformedPayload and SchemaMismatch."""
    yield from records_of(parse_lines(lines, first_row), first_row)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return ``{"score": x}`` for each record, a line each."""
    return scores(predictions, b"\n") + b"\n" if len(predictions) else b""


def encode_columns(columns: Columns) -> bytes:
    """Return an object with a key for each column, a line for each record."""
    return b"".join(each + b"\n" for each in objects_of(columns))


def scores(predictions: NDArray[np.float32], separator: bytes) -> bytes:
    """Return ``{"score": x}`` for each record, a list of values for x where a record has several.

    Each number is the shortest text that reads back to the same float32; NaN and infinity are null.
    """
    if not len(predictions):
        return b""
    text = orjson.dumps(np.ascontiguousarray(predictions), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    if predictions.ndim == 1:
        between, joint = b",", b"}" + separator + b'{"score": '
    else:
        between, joint = b"],[", b"]}" + separator + b'{"score": ['
    return b'{"score": ' + text.replace(between, joint) + b"}"
