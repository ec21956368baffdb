"""Tensor: the features of one record of SageMaker's protobuf format, aialgs.data.Record.

Source: contract 3.17; the message's definition in the SageMaker guide, Common Data Formats for Training.
"""

import math
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.codecs.protobuf import (
    EIGHT_BYTES,
    FOUR_BYTES,
    LENGTH_DELIMITED,
    VARINT,
    Field,
    InvalidMessage,
    fields,
    varints,
)

# Numbers of the fields: of Record, of an entry of its map, of Value, and of the tensors.
FEATURES = 1
KEY, VALUE = 1, 2
FLOAT32, FLOAT64, INT32 = 2, 3, 7
VALUES, KEYS, SHAPE = 1, 2, 3

THE_FEATURE = b"values"
EXPECTED = 'expected one feature, "values", with one tensor of float32, float64 or int32'
MOST_DIMENSIONS = 32
# How a tensor's values are written, and the type of those that have as many bytes each.
WIRES = {FLOAT32: FOUR_BYTES, FLOAT64: EIGHT_BYTES, INT32: VARINT}
TYPES: dict[int, np.dtype[Any]] = {FOUR_BYTES: np.dtype("<f4"), EIGHT_BYTES: np.dtype("<f8")}


@dataclass(frozen=True, slots=True)
class Tensor:
    """The values of a record, dense if it has no keys.

    ``span`` is where the bytes of all values are, of the type ``kind``, where they stand together; else None.
    """

    values: NDArray[Any]
    keys: NDArray[np.uint64]
    size: int | None
    span: tuple[int, int] | None = None
    kind: np.dtype[Any] | None = None


NOTHING = Tensor(np.empty(0), np.empty(0, np.uint64), None)


def tensor_of(message: bytes, start: int, end: int, most: int) -> Tensor:
    """Return the features of the Record between two places, none if it has none; raises InvalidMessage.

    ``most`` is how many values make sense. Labels and all else are read over; a feature that stands twice is no record.
    """
    found = None
    for entry in fields(message, start, end):
        if entry.number == FEATURES:
            if found is not None:
                raise InvalidMessage(EXPECTED)
            found = _feature(message, entry, most)
    return found or NOTHING


def _feature(message: bytes, entry: Field, most: int) -> Tensor:
    """Return the tensor of an entry of the map of features."""
    _expect(entry, LENGTH_DELIMITED)
    key, value = b"", None
    for part in fields(message, entry.start, entry.end):
        if part.number in (KEY, VALUE):
            _expect(part, LENGTH_DELIMITED)
        if part.number == KEY:
            key = message[part.start : part.end]
        elif part.number == VALUE:
            if value is not None:
                raise InvalidMessage(EXPECTED)
            value = part
    if key != THE_FEATURE:
        raise InvalidMessage(EXPECTED)
    return NOTHING if value is None else _value(message, value, most)


def _value(message: bytes, value: Field, most: int) -> Tensor:
    tensors = list(islice(fields(message, value.start, value.end), 2))
    if not tensors:
        return NOTHING
    if len(tensors) > 1 or tensors[0].number not in WIRES:
        raise InvalidMessage(EXPECTED)
    _expect(tensors[0], LENGTH_DELIMITED)
    return _tensor(message, tensors[0], most)


def _tensor(message: bytes, tensor: Field, most: int) -> Tensor:
    wires = {VALUES: WIRES[tensor.number], KEYS: VARINT, SHAPE: VARINT}
    pieces: dict[int, list[Field]] = {VALUES: [], KEYS: [], SHAPE: []}
    for field in fields(message, tensor.start, tensor.end):
        if field.number in pieces:
            if field.wire not in (LENGTH_DELIMITED, wires[field.number]):
                raise InvalidMessage("a value has the wire type of another")
            pieces[field.number].append(field)
            if len(pieces[field.number]) > max(most, MOST_DIMENSIONS):
                raise InvalidMessage(f"it has more than {most:,} values")
    values, keys, shape = (
        b"".join([message[each.start : each.end] for each in pieces[number]]) for number in pieces
    )
    kind = TYPES.get(wires[VALUES])
    alone = len(pieces[VALUES]) == 1 and pieces[VALUES][0].wire == LENGTH_DELIMITED
    span = (pieces[VALUES][0].start, pieces[VALUES][0].end) if alone and kind and not keys else None
    return Tensor(_numbers(values, kind, most), varints(keys, most), _size(shape), span, kind)


def _numbers(values: bytes, kind: np.dtype[Any] | None, most: int) -> NDArray[Any]:
    if kind is None:
        numbers = varints(values, most).view(np.int64)
        if len(numbers) and not -(1 << 31) <= numbers.min() <= numbers.max() < 1 << 31:
            raise InvalidMessage("an int32 has more than 32 bits")
        return numbers
    if len(values) % kind.itemsize:
        raise InvalidMessage("a value is cut off")
    return np.frombuffer(values, kind)


def _size(shape: bytes) -> int | None:
    """Return how many values a tensor of this shape has, None if it has none."""
    return math.prod(varints(shape, MOST_DIMENSIONS).tolist()) if shape else None


def _expect(field: Field, wire: int) -> None:
    if field.wire != wire:
        raise InvalidMessage("a field has the wire type of another")
