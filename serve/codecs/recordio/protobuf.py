"""Protobuf: read the wire format of protocol buffers, in which a message is a list of fields.

Source: https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Wire types.
VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
MAX_VARINT_BYTES = 10
CONTINUATION_BIT = 0x80
MAX_FIELD_NUMBER = (1 << 29) - 1


class InvalidMessage(ValueError):
    """Bytes that are not a valid message."""


class Field(NamedTuple):
    """A field of a message: its number, its wire type, and the offsets of its value."""

    number: int
    wire_type: int
    start: int
    end: int


def read_fields(message: bytes, start: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message between two offsets; raises InvalidMessage."""
    while start < end:
        tag, start = _read_varint(message, start, end)
        wire_type = tag & 7
        if not 0 < tag >> 3 <= MAX_FIELD_NUMBER:
            raise InvalidMessage(f"field number {tag >> 3}")
        if wire_type == LENGTH_DELIMITED:
            length, start = _read_varint(message, start, end)
        elif wire_type == VARINT:
            length = _read_varint(message, start, end)[1] - start
        elif wire_type in FIXED_BYTES:
            length = FIXED_BYTES[wire_type]
        else:
            raise InvalidMessage(f"unknown wire type {wire_type}")
        if length > end - start:
            raise InvalidMessage("truncated field")
        yield Field(tag >> 3, wire_type, start, start + length)
        start += length


def read_varints(packed: bytes, max_count: int) -> NDArray[np.uint64]:
    """Return packed varints, uint64 (n,).

    Raises InvalidMessage for invalid varints, and for more than ``max_count`` of them.
    """
    if not packed:
        return np.empty(0, np.uint64)
    octets = np.frombuffer(packed, np.uint8)
    count = np.count_nonzero(octets < CONTINUATION_BIT)
    if count > max_count:
        raise InvalidMessage(f"more than {max_count:,} values")
    if count == len(octets):  # numbers below 128, like most keys
        return octets.astype(np.uint64)
    if octets[-1] >= CONTINUATION_BIT or len(octets) > count * MAX_VARINT_BYTES:
        raise InvalidMessage("truncated varint")
    ends = np.flatnonzero(octets < CONTINUATION_BIT)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    last_octets = octets[ends[lengths == MAX_VARINT_BYTES]]
    if lengths.max() > MAX_VARINT_BYTES or np.any(last_octets > 1):
        raise InvalidMessage("varint of more than 64 bits")
    shifts = 7 * (np.arange(len(octets)) - np.repeat(starts, lengths))
    digits = (octets & np.uint8(CONTINUATION_BIT - 1)).astype(np.uint64)
    return np.bitwise_or.reduceat(digits << shifts.astype(np.uint64), starts)


def _read_varint(message: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the varint at an offset, and the offset after it."""
    if start < end and message[start] < CONTINUATION_BIT:  # the most frequent case
        return message[start], start + 1
    number = shift = 0
    for offset in range(start, min(end, start + MAX_VARINT_BYTES)):
        octet = message[offset]
        number |= (octet & (CONTINUATION_BIT - 1)) << shift
        if octet < CONTINUATION_BIT:
            return number, offset + 1
        shift += 7
    raise InvalidMessage("truncated varint")
