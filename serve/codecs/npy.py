"""application/x-npy: an array as numpy.save writes it.

Source: the format's specification, numpy.lib.format.
"""

import io
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serve.codecs.sparse import rows_in_slice
from serve.columns import Columns, flatten_columns
from serve.errors import SENT, MalformedPayload
from serve.records import Records
from serve.schema.schema import Schema
from serve.text import counted, quoted

CONCATENATES = False

MAGIC = b"\x93NUMPY"
# By version: how the header's length is written. Versions 2 and 3 differ only in the names of fields, which numbers do not have.
LENGTHS = {b"\1\0": struct.Struct("<H"), b"\2\0": struct.Struct("<I"), b"\3\0": struct.Struct("<I")}
MOST_HEADER_BYTES = 1 << 10
# The header is a Python literal; numpy reads it with Python's own parser, which fails in many ways, SystemError among them.
TYPE = r"""["']descr["']\s*:\s*(?P<descr>"[^"]*"|'[^']*'|\[.*\])"""
ORDER = r"""["']fortran_order["']\s*:\s*(?P<order>True|False)"""
SHAPE = r"""["']shape["']\s*:\s*\((?P<shape>(?:\s*\d+L?\s*,)*(?:\s*\d+L?)?)\s*\)"""
HEADER = re.compile(rf"\{{(?:\s*(?:{TYPE}|{ORDER}|{SHAPE})\s*(?:,|(?=\}}))){{3}}\s*\}}")
NUMBERS = re.compile(r"[<>|=]?(?:f[248]|[iu][1248]|b1)")
LONGEST_AXIS_DIGITS = 15


class Header(NamedTuple):
    """What an array's header says: its type as it is written, its shape, and whether its columns come one after the other."""

    descr: str
    shape: tuple[int, ...]
    in_columns: bool


def decode(payload: bytes, _parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the rows of an array of numbers or booleans; an array of one dimension is one row.

    An array of objects, which would be a pickle, is never read. Raises MalformedPayload.
    """
    array = _array(payload)
    if array.ndim == 1:
        array = array.reshape(1, -1)
        if array.shape[1] != schema.width:
            raise MalformedPayload(
                schema.wrong_width(1, array.shape[1])
                + "; the shape of several rows is (rows, columns)"
            )
    rows = rows_in_slice(schema.width)
    for start in range(0, max(1, len(array)), rows):
        numbers = array[start : start + rows]
        if numbers.dtype.newbyteorder("=") != np.float32:
            numbers = numbers.astype(np.float64)
        yield Records((), textual=False, first_row=1 + start, numbers=numbers)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return predictions as an array of float32, (n,) or (n, k)."""
    file = io.BytesIO()
    np.save(file, predictions, allow_pickle=False)
    return file.getvalue()


def encode_columns(columns: Columns) -> bytes:
    """Return an array of float32, (n, c): the columns in order, the values of a list side by side, NaN for null."""
    values = list(flatten_columns(columns).values())
    return encode(np.concatenate(values, axis=1) if values else np.empty((0, 0), dtype=np.float32))


def _array(payload: bytes) -> NDArray[Any]:
    """Return the array that a payload holds, as a view of its bytes, (f,) or (n, f); raises MalformedPayload."""
    header, start = _header(payload)
    if not NUMBERS.fullmatch(header.descr):
        raise MalformedPayload(
            f"expected an array of numbers or booleans, got the type {SENT}", quoted(header.descr)
        )
    if len(header.shape) not in (1, 2):
        raise MalformedPayload(
            f"expected the shape (rows, columns), or (columns,) for one row, got {SENT}",
            quoted(header.shape),
        )
    dtype = np.dtype(header.descr)
    count = header.shape[0] * header.shape[-1] if len(header.shape) > 1 else header.shape[0]
    if count * dtype.itemsize != len(payload) - start:
        announced = counted(count * dtype.itemsize, "byte")
        raise MalformedPayload(
            f"expected {announced} of numbers, as the header says, got {len(payload) - start:,}"
        )
    numbers = np.frombuffer(payload, dtype, count, start)
    return numbers.reshape(header.shape, order="F" if header.in_columns else "C")


def _header(payload: bytes) -> tuple[Header, int]:
    """Return the header, and where the numbers begin; raises MalformedPayload."""
    start = len(MAGIC) + 2
    length = LENGTHS.get(payload[len(MAGIC) : start])
    if not payload.startswith(MAGIC) or length is None or len(payload) < start + length.size:
        raise MalformedPayload("this is no array as numpy.save writes it")
    (header_bytes,) = length.unpack_from(payload, start)
    start += length.size
    if header_bytes > min(MOST_HEADER_BYTES, len(payload) - start):
        raise MalformedPayload("the array's header is too long, or cut off")
    return _literal(payload[start : start + header_bytes].decode("latin-1")), start + header_bytes


def _literal(text: str) -> Header:
    text = text.strip()
    match = HEADER.fullmatch(text)
    if not match or None in match.groups():
        raise MalformedPayload(f"this is no header of an array: {SENT}", quoted(text))
    axes = re.findall(r"\d+", match["shape"])
    if max(map(len, axes), default=0) > LONGEST_AXIS_DIGITS:
        raise MalformedPayload(f"no array has the shape {SENT}", quoted(match["shape"]))
    return Header(match["descr"].strip("\"'"), tuple(map(int, axes)), match["order"] == "True")
