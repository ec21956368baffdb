"""Read application/x-recordio-protobuf with Google's library, and application/x-npy with NumPy."""

import io
import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from tests.adversary.columns import Invalid
from tests.adversary.models import Model
from tests.adversary.readers.rows import Rows
from tests.support.protobuf import MAGIC, Record

HEADER = struct.Struct("<II")
WHOLE, FIRST, MIDDLE, LAST = range(4)
FEATURES = 1
VARINT, LENGTH_DELIMITED = 0, 2
FIXED_BYTES = {1: 8, 5: 4}
MAGIC_BYTES = struct.pack("<I", MAGIC)


def read_npy(body: bytes, parameters: dict[str, str], model: Model) -> Rows:
    """Return the rows of an array; raises Invalid."""
    file = io.BytesIO(body)
    try:
        array = np.load(file, allow_pickle=False)
    except Exception as error:  # numpy raises many kinds for invalid files
        raise Invalid(str(error)) from error
    if file.tell() != len(body):
        raise Invalid("bytes after the array")
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiub":
        raise Invalid(f"{array.dtype} {array.shape}")
    with np.errstate(over="ignore"):
        rows = np.atleast_2d(array).astype(np.float32).tolist()
    return [_read_numbers(row, model) for row in rows]


def read_recordio(body: bytes, parameters: dict[str, str], model: Model) -> Rows:
    """Return the rows of framed records; raises Invalid."""
    return [_read_record(message, model) for message in _read_messages(body)]


def _read_messages(body: bytes) -> Iterator[bytes]:
    parts: list[bytes] = []
    offset = 0
    while offset < len(body):
        flag, part, offset = _read_part(body, offset)
        if bool(parts) != (flag in (MIDDLE, LAST)):
            raise Invalid(f"flag {flag}")
        parts.append(part)
        if flag in (WHOLE, LAST):
            yield MAGIC_BYTES.join(parts)
            parts = []
    if parts:
        raise Invalid("incomplete record")


def _read_part(body: bytes, offset: int) -> tuple[int, bytes, int]:
    if offset + HEADER.size > len(body):
        raise Invalid("truncated header")
    magic, length = HEADER.unpack_from(body, offset)
    flag, length = length >> 29, length & 0x1FFFFFFF
    start = offset + HEADER.size
    if magic != MAGIC or flag > LAST or start + length > len(body):
        raise Invalid("invalid frame")
    return flag, body[start : start + length], start + length + -length % 4


def _read_record(message: bytes, model: Model) -> list[float]:
    try:
        features = Record.FromString(_keep_features(message)).features
    except DecodeError as error:
        raise Invalid(str(error)) from error
    width = len(model.columns)
    if "values" not in features:
        raise Invalid("no values")
    value = features["values"]
    kind = value.WhichOneof("value")
    if kind == "bytes":
        raise Invalid("bytes")
    tensor: Any = getattr(value, kind) if kind else None
    if tensor is None:
        return _read_numbers([math.nan] * width, model)
    if tensor.shape and math.prod(tensor.shape) != width:
        raise Invalid("shape")
    return _read_numbers(_fill(tensor.keys, tensor.values, width), model)


def _keep_features(message: bytes) -> bytes:
    """Return only the features of a record, because labels and all other fields are ignored."""
    kept, offset = [], 0
    while offset < len(message):
        start = offset
        tag, offset = _read_varint(message, offset)
        offset = _skip_value(message, offset, tag & 7)
        if tag >> 3 == FEATURES:
            kept.append(message[start:offset])
    if offset > len(message):
        raise Invalid("truncated field")
    return b"".join(kept)


def _skip_value(message: bytes, offset: int, wire_type: int) -> int:
    """Return the offset after the value of a field."""
    if wire_type in FIXED_BYTES:
        return offset + FIXED_BYTES[wire_type]
    if wire_type not in (VARINT, LENGTH_DELIMITED):
        raise Invalid(f"wire type {wire_type}")
    number, offset = _read_varint(message, offset)
    return offset + number if wire_type == LENGTH_DELIMITED else offset


def _read_varint(message: bytes, offset: int) -> tuple[int, int]:
    number = shift = 0
    for octet in message[offset : offset + 10]:
        offset += 1
        number |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            return number, offset
    raise Invalid("truncated varint")


def _fill(keys: Sequence[int], values: Sequence[float], width: int) -> Sequence[float]:
    if not keys:
        return values if len(values) else [math.nan] * width
    if len(keys) != len(values) or len(set(keys)) < len(keys) or max(keys) >= width:
        raise Invalid("keys")
    row = [math.nan] * width
    for key, value in zip(keys, values, strict=True):
        row[key] = value
    return row


def _read_numbers(numbers: Sequence[float], model: Model) -> list[float]:
    if len(numbers) != len(model.columns):
        raise Invalid(f"{len(numbers)} values")
    pairs = zip(model.columns, numbers, strict=True)
    return [column.read_number(float(number)) for column, number in pairs]
