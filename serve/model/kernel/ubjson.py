"""Read UBJSON as XGBoost writes it, with its numbers in typed arrays.

Source: https://ubjson.org, and src/common/json.cc of XGBoost.
"""

from typing import Any

import numpy as np

from serve.model.ubjson_numbers import NUMBERS

# The size of each type of integer, and whether it is signed.
INTEGERS = {b"i": (1, True), b"U": (1, False), b"I": (2, True), b"l": (4, True), b"L": (8, True)}
CONSTANTS = {b"Z": None, b"T": True, b"F": False}


def parse(document: bytes) -> Any:
    """Return the value of a document; typed arrays are views of ``document``.

    Raises ValueError for anything that XGBoost does not write.
    """
    try:
        return _Reader(document).read_value()
    except UnicodeDecodeError as error:
        raise ValueError(f"invalid UBJSON: {error}") from error


class _Reader:
    """A position in a document."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._position = 0

    def read_value(self) -> Any:
        marker = self._take(1)
        if marker == b"{":
            return self._read_object()
        if marker == b"[":
            return self._read_array()
        if marker == b"S":
            return self._read_text()
        if marker in CONSTANTS:
            return CONSTANTS[marker]
        return self._read_number(marker)

    def _read_object(self) -> dict[str, Any]:
        members = {}
        while not self._skip(b"}"):
            name = self._read_text()
            members[name] = self.read_value()
        return members

    def _read_array(self) -> Any:
        if self._skip(b"$"):
            return self._read_typed_array(self._take(1))
        if self._skip(b"#"):
            return [self.read_value() for _ in range(self._read_length())]
        items = []
        while not self._skip(b"]"):
            items.append(self.read_value())
        return items

    def _read_typed_array(self, marker: bytes) -> Any:
        if marker not in NUMBERS or not self._skip(b"#"):
            raise ValueError(f"invalid UBJSON: array of type {marker!r}")
        length = self._read_length()
        items = np.frombuffer(self._document, NUMBERS[marker], length, self._position)
        self._position += items.nbytes
        return items

    def _read_text(self) -> str:
        return self._take(self._read_length()).decode()

    def _read_length(self) -> int:
        marker = self._take(1)
        if marker not in INTEGERS:
            raise ValueError(f"invalid UBJSON: length of type {marker!r}")
        size, signed = INTEGERS[marker]
        length = int.from_bytes(self._take(size), "big", signed=signed)
        if length < 0:
            raise ValueError(f"invalid UBJSON: length {length}")
        return length

    def _read_number(self, marker: bytes) -> int | float:
        if marker not in NUMBERS:
            raise ValueError(f"invalid UBJSON: marker {marker!r}")
        dtype = NUMBERS[marker]
        number: int | float = np.frombuffer(self._take(dtype.itemsize), dtype)[0].item()
        return number

    def _skip(self, marker: bytes) -> bool:
        """Skip the next byte if it is this marker, and return whether it was."""
        found = self._document.startswith(marker, self._position)
        self._position += found
        return found

    def _take(self, size: int) -> bytes:
        start = self._position
        self._position += size
        taken = self._document[start : self._position]
        if len(taken) < size:
            raise ValueError("invalid UBJSON: truncated")
        return taken
