"""Scan a UBJSON model for its arrays and its nesting, without recursion.

Source: https://ubjson.org, and src/common/json.cc of XGBoost.
"""

import re
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.model.structure.damaged import MAX_LEVELS, TOO_DEEP, Damaged
from serve.model.ubjson_numbers import NUMBERS

# Texts and arrays of numbers may contain any bytes, so they are skipped by their length.
# A text of up to 32 bytes, and a member of an object that is neither an object nor an array:
TEXT = b"L\\0{7}(?:%b)" % b"|".join(b"\\x%02x.{%d}" % (size, size) for size in range(33))
SCALAR = rb"(?:[ZTFN]|[iU].|I.{2}|[ld].{4}|[LD].{8}|S%b)" % TEXT
# Any number of such members, and then perhaps the name and the head of an array of numbers.
MEMBERS = re.compile(rb"(?:%b%b)*(?:(%b)\[\$(.)#L(.{8}))?" % (TEXT, SCALAR, TEXT), re.DOTALL)
NAME_START = 9  # after the L and the length of a text
SIZES = {marker: dtype.itemsize for marker, dtype in NUMBERS.items()} | {b"C": 1}
CONSTANTS = b"ZTFN"
INTEGERS = b"iUIlL"
OBJECT, ARRAY = -1, -2  # the number of values left, where only the end of the value says it


def scan(content: bytes, names: Collection[bytes]) -> dict[bytes, list[NDArray[Any]]]:
    """Return the arrays of numbers that have these names, as views of ``content``.

    Raises Damaged if the document is nested deeply, or is not UBJSON as
    XGBoost writes it.
    """
    scanner = _Scanner(content, names)
    try:
        scanner.read_value()
        while scanner.open_values:
            if len(scanner.open_values) > MAX_LEVELS:
                raise Damaged(TOO_DEEP)
            scanner.step()
    except (IndexError, KeyError) as error:
        raise Damaged(f"is not valid UBJSON near byte {scanner.position:,}") from error
    return scanner.arrays


class _Scanner:
    """A position in a document, and the values that are open there.

    Raises IndexError and KeyError where the document is damaged.
    """

    def __init__(self, content: bytes, names: Collection[bytes]) -> None:
        self._content = content
        self.arrays: dict[bytes, list[NDArray[Any]]] = {name: [] for name in names}
        self.position = 0
        self.open_values: list[int] = []

    def step(self) -> None:
        """Read the next value of the innermost open object or array, or close it."""
        left = self.open_values[-1]
        if left == OBJECT:
            self._read_members()
        elif left == 0 or (left == ARRAY and self._peek() == b"]"):
            self._skip(int(left == ARRAY))
            self.open_values.pop()
        else:
            if left > 0:
                self.open_values[-1] -= 1
            self.read_value()

    def read_value(self) -> None:
        """Skip a value, or open it."""
        marker = self._take()
        if marker == b"{":
            self.open_values.append(OBJECT)
        elif marker == b"[":
            self._open_array()
        elif marker == b"S":
            self._skip(self._read_length())
        elif marker not in CONSTANTS:
            self._skip(SIZES[marker])

    def _read_members(self) -> None:
        """Skip the members of an object up to one that must be opened, or close the object."""
        match = MEMBERS.match(self._content, self.position)
        while match and match.end() > self.position:
            self.position = match.end()
            if match[1]:
                self._read_numbers(match[1][NAME_START:], match[2], match[3])
            match = MEMBERS.match(self._content, self.position)
        if self._peek() == b"}":
            self._skip(1)
            self.open_values.pop()
        else:
            self._skip(self._read_length())
            self.read_value()

    def _read_numbers(self, name: bytes, marker: bytes, length: bytes) -> None:
        """Skip the numbers of an array, and keep them if they are wanted."""
        start, count = self.position, int.from_bytes(length, "big")
        self._skip(SIZES[marker] * count)
        if name in self.arrays:
            numbers = np.frombuffer(self._content, NUMBERS[marker], count, start)
            self.arrays[name].append(numbers)

    def _open_array(self) -> None:
        kind = self._peek()
        if kind == b"$":
            self._skip(1)
            size = SIZES[self._take()]
            self._skip(1)  # the sign # before the length
            self._skip(size * self._read_length())
        elif kind == b"#":
            self._skip(1)
            self.open_values.append(self._read_length())
        else:
            self.open_values.append(ARRAY)

    def _read_length(self) -> int:
        marker = self._take()
        if marker not in INTEGERS:
            raise KeyError(marker)
        start = self.position
        self._skip(SIZES[marker])
        return int.from_bytes(self._content[start : self.position], "big")

    def _take(self) -> bytes:
        marker = self._peek()
        self._skip(1)
        return marker

    def _peek(self) -> bytes:
        """Return the next byte; raises IndexError at the end."""
        marker = self._content[self.position : self.position + 1]
        if not marker:
            raise IndexError
        return marker

    def _skip(self, size: int) -> None:
        """Move by some bytes; raises IndexError beyond the end, such as by a damaged length."""
        if size > len(self._content) - self.position:
            raise IndexError
        self.position += size
