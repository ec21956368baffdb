"""application/x-npy: an array in the format of numpy.save.

Source: the format's specification, numpy.lib.format.
"""

import io
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serve.codecs.sparse import compute_rows_per_slice
from serve.columns import Columns, flatten_columns
from serve.diagnosis.payloads import find_payload_hint
from serve.errors import SENT, MalformedPayload, SchemaMismatch
from serve.media.types import NPY
from serve.records import Matrix, Records
from serve.schema.schema import Schema
from serve.text import counted, quoted, with_hint

CONCATENATES = False

MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
# The type of the header's length in each version of the format. Versions 2 and 3 differ only in the
# encoding of field names, which arrays of numbers do not have.
LENGTH_TYPES = {
    b"\1\0": struct.Struct("<H"),
    b"\2\0": struct.Struct("<I"),
    b"\3\0": struct.Struct("<I"),
}
MAX_HEADER_BYTES = 1 << 10
# numpy evaluates the header with Python's parser, which can fail in many ways, even a SystemError.
# These patterns match only what numpy.save writes, including the L of Python 2's long integers.
LENGTH = r"(?:0|[1-9][0-9]*)L?"
HEADER = re.compile(
    r"\{'descr': (?P<descr>'[^']*'|\[.*\]), 'fortran_order': (?P<order>True|False), "
    rf"'shape': \((?P<shape>(?:{LENGTH},|{LENGTH}(?:, {LENGTH})+)?)\), \}} *\n"
)
NUMERIC_TYPES = re.compile(r"[<>](?:f[248]|[iu][248])|\|(?:[iu]1|b1)")
MAX_AXIS_DIGITS = 15


class Header(NamedTuple):
    """The header of an array: its data type, its shape, and whether it is in Fortran order."""

    descr: str
    shape: tuple[int, ...]
    fortran_order: bool


def decode(payload: bytes, _parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the rows of an array of numbers or booleans; a one-dimensional array is one row.

    Arrays of objects are rejected, because they contain a pickle. Raises MalformedPayload.
    """
    array = _read_array(payload)
    if array.ndim == 1:
        array = array.reshape(1, -1)
        if array.shape[1] != schema.width:
            mismatch = schema.describe_width_mismatch(1, array.shape[1])
            raise MalformedPayload(f"{mismatch}; send several rows with shape (rows, columns)")
    elif array.shape[1] != schema.width and len(array):
        raise SchemaMismatch(schema.describe_width_mismatch(1, array.shape[1]))
    step = compute_rows_per_slice(schema.width)
    for start in range(0, max(1, len(array)), step):
        numbers = array[start : start + step]
        yield Matrix(numbers.astype(_choose_dtype(numbers.dtype), copy=False), first_row=1 + start)


def _choose_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return float32 for its own numbers and for integers of 64 bits, otherwise float64.

    Like XGBoost, this rounds each number once: by way of float64, large integers would be rounded
    twice.
    """
    rounded_once = dtype.kind in "iu" or dtype.newbyteorder("=") == np.float32
    return np.dtype(np.float32 if rounded_once else np.float64)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return the predictions as an array, float32 (n,) or (n, k)."""
    file = io.BytesIO()
    # In Fortran order, the numbers of several slices could not be joined.
    np.save(file, np.ascontiguousarray(predictions), allow_pickle=False)
    return file.getvalue()


def encode_columns(columns: Columns) -> bytes:
    """Return all columns side by side in one array, float32 (n, c), with NaN for null."""
    values = list(flatten_columns(columns).values())
    return encode(np.concatenate(values, axis=1) if values else np.empty((0, 0), dtype=np.float32))


def join(encoded: list[bytes]) -> list[bytes]:
    """Return one array in pieces: a header, and then the numbers of each slice."""
    headers = [_read_header(piece) for piece in encoded]
    rows = sum(header.shape[0] for header, _ in headers)
    for index, (_, start) in enumerate(headers):
        encoded[index] = encoded[index][start:]
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, *headers[0][0].shape[1:])}
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    return [file.getvalue(), *encoded]


def _read_array(payload: bytes) -> NDArray[Any]:
    """Return the array as a view of the payload, (f,) or (n, f); raises MalformedPayload."""
    header, start = _read_header(payload)
    if not NUMERIC_TYPES.fullmatch(header.descr):
        raise MalformedPayload(
            f"expected an array of numbers or booleans, got data type {SENT}"
            f"{_suggest_conversion(header.descr)}",
            quoted(header.descr),
        )
    if len(header.shape) not in (1, 2):
        raise MalformedPayload(
            f"expected shape (rows, columns), or (columns,) for one row, got {SENT}",
            str(header.shape),
        )
    dtype = np.dtype(header.descr)
    # Computed with Python integers, which cannot overflow.
    count = header.shape[0] * (header.shape[1] if len(header.shape) > 1 else 1)
    if count * dtype.itemsize != len(payload) - start:
        expected = counted(count * dtype.itemsize, "byte")
        raise MalformedPayload(
            f"expected {expected} after the header for its shape and data type, "
            f"got {len(payload) - start:,}"
        )
    numbers = np.frombuffer(payload, dtype, count, start)
    return numbers.reshape(header.shape, order="F" if header.fortran_order else "C")


def _suggest_conversion(descr: str) -> str:
    if descr.startswith("["):
        return "; send columns of a structured array with frame.to_numpy()"
    return '; convert it with array.astype("float32")' if descr.endswith("O") else ""


def _read_header(payload: bytes) -> tuple[Header, int]:
    """Return the header and the offset of the numbers; raises MalformedPayload."""
    start = len(MAGIC) + 2
    length_type = LENGTH_TYPES.get(payload[len(MAGIC) : start])
    if payload.startswith(ZIP_MAGIC):
        raise MalformedPayload(
            "expected one array in the format of numpy.save, got an archive such as numpy.savez "
            "writes"
        )
    if not payload.startswith(MAGIC) or length_type is None:
        hint = find_payload_hint(payload, NPY)
        raise MalformedPayload(with_hint("expected an array in the format of numpy.save", hint))
    if len(payload) < start + length_type.size:
        raise MalformedPayload("expected an array in the format of numpy.save, got a truncated one")
    (header_bytes,) = length_type.unpack_from(payload, start)
    start += length_type.size
    if header_bytes > min(MAX_HEADER_BYTES, len(payload) - start):
        raise MalformedPayload("the header of the array is truncated or too long")
    text = payload[start : start + header_bytes].decode("latin-1")
    return _parse_header(text), start + header_bytes


def _parse_header(text: str) -> Header:
    match = HEADER.fullmatch(text)
    if not match:
        raise MalformedPayload(
            f"invalid array header: expected one that numpy.save writes, got {SENT}",
            quoted(text.strip()),
        )
    axes = re.findall("[0-9]+", match["shape"])
    if max(map(len, axes), default=0) > MAX_AXIS_DIGITS:
        raise MalformedPayload(f"invalid array shape: {SENT}", quoted(match["shape"]))
    return Header(match["descr"].strip("'"), tuple(map(int, axes)), match["order"] == "True")
