"""Protobuf's wire format: messages as fields.

Source: https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

VARINT, EIGHT_BYTES, LENGTH_DELIMITED, FOUR_BYTES = 0, 1, 2, 5
FIXED_BYTES = {EIGHT_BYTES: 8, FOUR_BYTES: 4}
LONGEST_VARINT = 10
MORE = 0x80


class InvalidMessage(ValueError):
    """Bytes that are no message."""


class Field(NamedTuple):
    """A field of a message: its number, its wire type, and where its value's bytes are."""

    number: int
    wire: int
    start: int
    end: int


def fields(message: bytes, start: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message between two places; raises InvalidMessage."""
    while start < end:
        tag, start = _varint(message, start, end)
        wire = tag & 7
        if wire == LENGTH_DELIMITED:
            length, start = _varint(message, start, end)
        elif wire == VARINT:
            length = _varint(message, start, end)[1] - start
        elif wire in FIXED_BYTES:
            length = FIXED_BYTES[wire]
        else:
            raise InvalidMessage(f"a field has the unknown wire type {wire}")
        if length > end - start:
            raise InvalidMessage("it is cut off")
        yield Field(tag >> 3, wire, start, start + length)
        start += length


def varints(packed: bytes, most: int) -> NDArray[np.uint64]:
    """Return the numbers of packed varints, uint64 (n,); raises InvalidMessage, also if there are more than ``most``."""
    if not packed:
        return np.empty(0, np.uint64)
    octets = np.frombuffer(packed, np.uint8)
    count = np.count_nonzero(octets < MORE)
    if count > most:
        raise InvalidMessage(f"it has more than {most:,} values")
    if count == len(octets):  # numbers below 128, as most keys are
        return octets.astype(np.uint64)
    if octets[-1] >= MORE or len(octets) > count * LONGEST_VARINT:
        raise InvalidMessage("a number is cut off")
    ends = np.flatnonzero(octets < MORE)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > LONGEST_VARINT or np.any(octets[ends[lengths == LONGEST_VARINT]] > 1):
        raise InvalidMessage("a number has more than 64 bits")
    shifts = 7 * (np.arange(len(octets)) - np.repeat(starts, lengths))
    return np.bitwise_or.reduceat(
        (octets & np.uint8(MORE - 1)).astype(np.uint64) << shifts.astype(np.uint64), starts
    )


def _varint(message: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the number at a place, and the place after it."""
    if start < end and message[start] < MORE:  # as most are
        return message[start], start + 1
    number = shift = 0
    for place in range(start, min(end, start + LONGEST_VARINT)):
        octet = message[place]
        number |= (octet & (MORE - 1)) << shift
        if octet < MORE:
            return number, place + 1
        shift += 7
    raise InvalidMessage("a number is cut off")
