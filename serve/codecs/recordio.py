"""application/x-recordio-protobuf: a framed message of SageMaker's aialgs.data.Record for each record.

Source: contract 3.17; the framing is that of dmlc-core, include/dmlc/recordio.h.
"""

import struct
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serve.codecs.protobuf import LENGTH_DELIMITED, InvalidMessage, fields
from serve.codecs.sparse import rows_in_slice
from serve.codecs.tensor import FEATURES, FLOAT32, KEY, VALUE, VALUES, Tensor, tensor_of
from serve.columns import Columns, flatten_columns
from serve.errors import SENT, MalformedPayload, SchemaMismatch
from serve.records import Records
from serve.schema.schema import Schema
from serve.text import quoted

CONCATENATES = True

MAGIC = 0xCED7230A
HEADER = struct.Struct("<II")
LENGTH_BITS = 29
WHOLE, FIRST, MIDDLE, LAST = range(4)
# A record has four fields beside its features; of more, only some may differ between records that are alike.
MOST_READ_OVER = 8
# Where the answers of SageMaker's own algorithms have the prediction.
LABEL, SCORE = 2, b"score"
FLOAT32_BYTES = 4


class Frame(NamedTuple):
    """A record's message, where it is, and where the next frame begins."""

    message: bytes
    start: int
    end: int
    next: int


def decode(payload: bytes, _parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the records, dense ones and sparse ones; one without values is a row of missing values.

    Raises MalformedPayload and SchemaMismatch.
    """
    place, row = 0, 1
    while place < len(payload):
        numbers, place = _alike(payload, place, row, schema.width) or _one_by_one(
            payload, place, row, schema
        )
        yield Records((), textual=False, first_row=row, numbers=numbers)
        row += len(numbers)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return a record for each prediction, its values as the label "score", float32."""
    return (
        _labelled({SCORE: predictions.reshape(len(predictions), -1)}) if len(predictions) else b""
    )


def encode_columns(columns: Columns) -> bytes:
    """Return a record for each prediction, with a label for each column, float32, NaN for null; a list's values side by side."""
    labels = {name.encode(): values for name, values in flatten_columns(columns).items()}
    return _labelled(labels) if labels else b""


def _labelled(labels: Mapping[bytes, NDArray[np.float32]]) -> bytes:
    """Return a record for each row of the labels, float32 (n, k) each; all records are as long."""
    rows = len(next(iter(labels.values())))
    pieces = []
    for label, values in labels.items():
        length, before = values.shape[1] * FLOAT32_BYTES, b""
        for number, key in (
            (VALUES, b""),
            (FLOAT32, b""),
            (VALUE, _field(KEY, len(label)) + label),
            (LABEL, b""),
        ):
            before = key + _field(number, length + len(before)) + before
        pieces += [
            _repeated(before, rows),
            np.ascontiguousarray(values, dtype="<f4").view(np.uint8).reshape(rows, length),
        ]
    length = sum(piece.shape[1] for piece in pieces)
    padding = np.zeros((rows, _padded(length) - length), dtype=np.uint8)
    return np.concatenate(
        [_repeated(HEADER.pack(MAGIC, length), rows), *pieces, padding], axis=1
    ).tobytes()


def _repeated(octets: bytes, rows: int) -> NDArray[np.uint8]:
    return np.broadcast_to(np.frombuffer(octets, np.uint8), (rows, len(octets)))


def _alike(payload: bytes, place: int, row: int, width: int) -> tuple[NDArray[Any], int] | None:
    """Return the values of the next records that differ from the first in nothing but numbers and what is read over.

    They are read in one go, many times as fast as one by one. None if there are no two such records.
    """
    first = _frame(payload, place, row)
    tensor = _read(first, row, width)
    if first.message is not payload or tensor.span is None or tensor.kind is None:
        return None
    if len(tensor.values) != width or tensor.size not in (None, width):
        return None
    step = first.next - place
    count = min((len(payload) - place) // step, rows_in_slice(width))
    if count <= 1:
        return None
    frames = np.frombuffer(payload, np.uint8, count * step, place).reshape(count, step)
    fixed = np.ones(step, dtype=bool)
    for start, end in [*_read_over(first), tensor.span]:
        fixed[start - place : end - place] = False
    fixed[first.end - place :] = False  # the padding
    differ = np.flatnonzero((frames[:, fixed] != frames[0, fixed]).any(axis=1))
    count = int(differ[0]) if len(differ) else count
    if count <= 1:
        return None
    start, end = tensor.span[0] - place, tensor.span[1] - place
    return np.ascontiguousarray(frames[:count, start:end]).view(tensor.kind), place + count * step


def _read_over(frame: Frame) -> list[tuple[int, int]]:
    """Return the places of what is not looked at: labels, an id, metadata."""
    return [
        (each.start, each.end)
        for each in islice(fields(frame.message, frame.start, frame.end), MOST_READ_OVER)
        if each.number != FEATURES and each.wire == LENGTH_DELIMITED
    ]


def _one_by_one(
    payload: bytes, place: int, row: int, schema: Schema
) -> tuple[NDArray[np.float64], int]:
    rows: list[Tensor] = []
    while place < len(payload) and len(rows) < rows_in_slice(schema.width):
        frame = _frame(payload, place, row + len(rows))
        tensor = _read(frame, row + len(rows), schema.width)
        _check(tensor, row + len(rows), schema)
        rows.append(tensor)
        place = frame.next
    numbers = np.full((len(rows), schema.width), np.nan)
    for values, tensor in zip(numbers, rows, strict=True):
        if len(tensor.keys):
            values[tensor.keys.astype(np.intp)] = tensor.values
        elif len(tensor.values):
            values[:] = tensor.values
    return numbers, place


def _frame(payload: bytes, place: int, row: int) -> Frame:
    """Return the record at a place, whose parts are joined if it comes in several; raises MalformedPayload."""
    flag, start, end = _part(payload, place, row)
    if flag == WHOLE:
        return Frame(payload, start, end, _padded(end - place) + place)
    parts = []
    expected = FIRST
    while True:
        if flag != expected and (expected, flag) != (MIDDLE, LAST):
            raise MalformedPayload(f"row {row}: a part of a record stands alone")
        parts.append(payload[start:end])
        place += _padded(end - place)
        if flag == LAST:
            # A record is cut where it holds the magic number itself, which is left out.
            message = MAGIC.to_bytes(4, "little").join(parts)
            return Frame(message, 0, len(message), place)
        expected = MIDDLE
        flag, start, end = _part(payload, place, row)


def _part(payload: bytes, place: int, row: int) -> tuple[int, int, int]:
    """Return what part of a record is at a place, and where its bytes are."""
    if len(payload) - place < HEADER.size:
        raise MalformedPayload(f"row {row}: the record is cut off")
    magic, word = HEADER.unpack_from(payload, place)
    if magic != MAGIC:
        raise MalformedPayload(
            f"row {row}: expected a record, which begins with 0x{MAGIC:08x}, got {SENT}",
            f"0x{magic:08x}",
        )
    flag, start = word >> LENGTH_BITS, place + HEADER.size
    end = start + (word & ((1 << LENGTH_BITS) - 1))
    if flag > LAST:
        raise MalformedPayload(f"row {row}: the length of the record means nothing")
    if end > len(payload):
        raise MalformedPayload(
            f"row {row}: the record is cut off: expected {end - start:,} bytes, got {len(payload) - start:,}"
        )
    return flag, start, end


def _read(frame: Frame, row: int, width: int) -> Tensor:
    try:
        return tensor_of(frame.message, frame.start, frame.end, width)
    except InvalidMessage as error:
        raise MalformedPayload(
            f"row {row}: this is no record of SageMaker's protobuf format: {error}"
        ) from error


def _check(tensor: Tensor, row: int, schema: Schema) -> None:
    """Raise SchemaMismatch or MalformedPayload if a record does not have the model's columns."""
    values, keys = len(tensor.values), tensor.keys
    if tensor.size not in (None, schema.width):
        raise SchemaMismatch(
            f"row {row}: its shape has {SENT} values, the model {schema.width:,} columns",
            quoted(tensor.size),
        )
    if not len(keys):
        if values not in (0, schema.width):
            raise SchemaMismatch(schema.wrong_width(row, values))
        return
    if len(keys) != values:
        raise MalformedPayload(
            f"row {row}: expected as many keys as values, got {len(keys):,} and {values:,}"
        )
    if int(keys.max()) >= schema.width:
        raise SchemaMismatch(
            f"row {row}: expected keys from 0 to {schema.width - 1}, got {SENT}", f"{keys.max()}"
        )
    if len(set(keys.tolist())) != len(keys):
        raise MalformedPayload(f"row {row}: a key stands more than once")


def _field(number: int, length: int) -> bytes:
    """Return how a field of so many bytes begins."""
    octets = [number << 3 | LENGTH_DELIMITED]
    while length >= 1 << 7:
        octets.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*octets, length])


def _padded(length: int) -> int:
    return (length + 3) // 4 * 4
