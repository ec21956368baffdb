"""Tensor: the features in one record of SageMaker's protobuf format, aialgs.data.Record.

Source: contract 3.17; "Common Data Formats for Training" in the SageMaker guide.
"""

import math
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.codecs.recordio.protobuf import (
    FIXED32,
    FIXED64,
    LENGTH_DELIMITED,
    VARINT,
    Field,
    InvalidMessage,
    read_fields,
    read_varints,
)

# The field numbers of, in this order: Record, an entry in its map of features, Value, and tensors.
FEATURES = 1
KEY, VALUE = 1, 2
FLOAT32, FLOAT64, INT32 = 2, 3, 7
VALUES, KEYS, SHAPE = 1, 2, 3

FEATURE_NAME = b"values"
EXPECTED = 'expected the feature "values" once, with one tensor of float32, float64 or int32'
MAX_DIMENSIONS = 32
MAX_FEATURES = 1_000
# The wire type of each tensor's values, and the data type of values with a fixed size.
WIRE_TYPES = {FLOAT32: FIXED32, FLOAT64: FIXED64, INT32: VARINT}
DTYPES: dict[int, np.dtype[Any]] = {FIXED32: np.dtype("<f4"), FIXED64: np.dtype("<f8")}


@dataclass(frozen=True, slots=True)
class Tensor:
    """The values of a record: dense if ``keys`` is empty, otherwise at the columns ``keys``.

    ``size`` is the product of the shape, or None if the record has no shape. If the values are
    dense and contiguous, ``span`` has the offsets of their bytes, and ``dtype`` has their type.
    """

    values: NDArray[Any]
    keys: NDArray[np.uint64]
    size: int | None
    span: tuple[int, int] | None = None
    dtype: np.dtype[Any] | None = None


EMPTY = Tensor(np.empty(0), np.empty(0, np.uint64), None)


def read_tensor(message: bytes, start: int, end: int, max_values: int) -> Tensor:
    """Return the feature "values" of the Record between two offsets, or EMPTY if it has no values.

    Labels, other features and all other fields of the Record are ignored, as by AWS's reader.
    Unknown fields within a feature are not: a damaged tag would become a row of missing values.
    Raises InvalidMessage for these, for a missing or repeated feature "values", and for more than
    ``max_values`` values.
    """
    entries = [entry for entry in read_fields(message, start, end) if entry.number == FEATURES]
    if len(entries) > MAX_FEATURES:
        raise InvalidMessage(f"more than {MAX_FEATURES:,} features")
    features = [_read_feature(message, entry) for entry in entries]
    tensors = [value for name, value in features if name == FEATURE_NAME]
    if len(tensors) != 1:
        raise InvalidMessage(EXPECTED)
    return EMPTY if tensors[0] is None else _read_value(message, tensors[0], max_values)


def _read_feature(message: bytes, entry: Field) -> tuple[bytes, Field | None]:
    """Return the name and the value of an entry in the map of features."""
    _check_wire_type(entry, LENGTH_DELIMITED)
    name, value = b"", None
    for part in read_fields(message, entry.start, entry.end):
        if part.number not in (KEY, VALUE):
            raise InvalidMessage(f"unknown field {part.number} in a feature")
        _check_wire_type(part, LENGTH_DELIMITED)
        if part.number == KEY:
            name = message[part.start : part.end]
        elif value is None:
            value = part
        else:
            raise InvalidMessage(EXPECTED)
    return name, value


def _read_value(message: bytes, value: Field, max_values: int) -> Tensor:
    tensors = list(islice(read_fields(message, value.start, value.end), 2))
    if not tensors:
        return EMPTY
    if len(tensors) > 1 or tensors[0].number not in WIRE_TYPES:
        raise InvalidMessage(EXPECTED)
    _check_wire_type(tensors[0], LENGTH_DELIMITED)
    return _read_tensor_fields(message, tensors[0], max_values)


def _read_tensor_fields(message: bytes, tensor: Field, max_values: int) -> Tensor:
    value_wire_type = WIRE_TYPES[tensor.number]
    pieces = _collect_pieces(message, tensor, value_wire_type, max_values)
    values, keys, shape = (
        b"".join([message[piece.start : piece.end] for piece in pieces[number]])
        for number in (VALUES, KEYS, SHAPE)
    )
    dtype, span = DTYPES.get(value_wire_type), None
    if dtype and not keys and len(pieces[VALUES]) == 1:
        piece = pieces[VALUES][0]
        span = (piece.start, piece.end) if piece.wire_type == LENGTH_DELIMITED else None
    numbers = _parse_numbers(values, dtype, max_values)
    return Tensor(numbers, read_varints(keys, max_values), _parse_size(shape), span, dtype)


def _collect_pieces(
    message: bytes, tensor: Field, value_wire_type: int, max_values: int
) -> dict[int, list[Field]]:
    """Return the fields with values, keys and the shape, each packed or one field per number."""
    wire_types = {VALUES: value_wire_type, KEYS: VARINT, SHAPE: VARINT}
    pieces: dict[int, list[Field]] = {VALUES: [], KEYS: [], SHAPE: []}
    for field in read_fields(message, tensor.start, tensor.end):
        if field.number not in pieces:
            raise InvalidMessage(f"unknown field {field.number} in a tensor")
        if field.wire_type != LENGTH_DELIMITED:
            _check_wire_type(field, wire_types[field.number])
        pieces[field.number].append(field)
        if len(pieces[field.number]) > max(max_values, MAX_DIMENSIONS):
            raise InvalidMessage(f"more than {max_values:,} values")
    return pieces


def _parse_numbers(values: bytes, dtype: np.dtype[Any] | None, max_values: int) -> NDArray[Any]:
    if dtype is None:
        numbers = read_varints(values, max_values).view(np.int64)
        if len(numbers) and not -(1 << 31) <= numbers.min() <= numbers.max() < 1 << 31:
            raise InvalidMessage("int32 value of more than 32 bits")
        return numbers
    if len(values) % dtype.itemsize:
        raise InvalidMessage("truncated value")
    return np.frombuffer(values, dtype)


def _parse_size(shape: bytes) -> int | None:
    """Return how many values a tensor of this shape has, or None if it has no shape."""
    return math.prod(read_varints(shape, MAX_DIMENSIONS).tolist()) if shape else None


def _check_wire_type(field: Field, expected: int) -> None:
    if field.wire_type != expected:
        raise InvalidMessage(
            f"field {field.number}: expected wire type {expected}, got {field.wire_type}"
        )
