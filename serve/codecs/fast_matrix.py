"""Numbers: rows of CSV or JSON as a float32 matrix at once, where every cell is a plain number, a known label or missing.

Reading them cell by cell costs ten times as much. What is not so plain is for the codec to read with care, and to say what is
wrong with it.
"""

from array import array
from itertools import chain
from math import isfinite
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.schema.feature import LabelFeature
from serve.schema.schema import Schema

try:
    from simdjson import Parser
except ImportError:  # it has no wheel for every Python; orjson gives the same numbers
    Parser = None  # type: ignore[assignment,misc]

NUMBER_BYTES = b"0123456789+-.eE \t"
NO_SEPARATORS = bytes(set(range(256)) - set(b",\n"))
# Below this orjson is as fast, and needs no parser of its own for each call.
SIMD_BYTES = 1024


def matrix_of_lines(lines: bytes, schema: Schema) -> NDArray[np.float32] | None:
    """Return lines whose cells are in schema order as features, float32 (n, f), NaN where a cell is empty.

    Return None where some line, cell or number is anything but plain, or a missing value is where there must be one.
    """
    # What is left of numbers without their own bytes are the separators, and whatever no number has.
    separators = lines.translate(None, NO_SEPARATORS if schema.has_labels else NUMBER_BYTES)
    if separators + b"\n" != (b"," * (schema.width - 1) + b"\n") * (separators.count(b"\n") + 1):
        return None
    flat = lines.replace(b"\n", b",")
    if schema.has_labels:
        coded = _with_codes(flat, schema)
        if coded is None or coded.translate(None, NUMBER_BYTES + b","):
            return None
        flat = coded
    empty = b",," in flat or flat[:1] == b"," or flat[-1:] in (b",", b"")
    return _matrix(
        _with_nulls(flat) if empty else flat,
        schema,
        separators.count(b"\n") + 1,
        nested=False,
        nulls=empty,
    )


def matrix_of_lists(lists: bytes, schema: Schema) -> NDArray[np.float32] | None:
    """Return lists of JSON, with commas between, as such a matrix, NaN where a value is null; None as above.

    A number in place of a label is for the codec: it is a label's text, and never a code.
    """
    rows = lists.count(b"]")
    separators = lists.translate(None, NUMBER_BYTES + b"\r\nnul")
    if schema.has_labels or separators + b"," != (b"[" + b"," * (schema.width - 1) + b"],") * rows:
        return None
    return _matrix(lists, schema, rows, nested=True, nulls=b"n" in lists)


def _matrix(
    cells: bytes, schema: Schema, rows: int, *, nested: bool, nulls: bool
) -> NDArray[np.float32] | None:
    """Return the cells of so many rows, or lists of them, with commas between, as such a matrix; None where that is no JSON.

    Each is float32(float64(text)).
    """
    text = b"[" + cells + b"]"
    try:
        if nulls:
            values, finite = _values_with_nulls(text), False
        elif Parser is not None and len(text) > SIMD_BYTES:
            values, finite = _simd_values(text), False
        else:
            loaded = orjson.loads(text)
            numbers = array(
                "f", chain.from_iterable(loaded) if nested else loaded
            )  # beyond float32 it becomes infinite without a warning, unlike numpy
            values, finite = np.frombuffer(numbers, dtype=np.float32), isfinite(sum(numbers))
    except (
        ValueError,
        TypeError,
        OverflowError,
        RuntimeError,
    ):  # simdjson has the last for an integer beyond 64 bits
        return None
    if (
        values.size != rows * schema.width
    ):  # such as a blank line of one column, which is no number but a record
        return None
    matrix = values.reshape(-1, schema.width)
    return matrix if (finite and schema.takes_all_finite) or schema.takes(matrix) else None


def _values_with_nulls(text: bytes) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.array(orjson.loads(text), dtype=np.float32)


def _simd_values(text: bytes) -> NDArray[np.float32]:
    numbers: Any = Parser().parse(text)
    with np.errstate(
        over="ignore"
    ):  # what is beyond float32 becomes infinite, which no schema takes
        return np.frombuffer(numbers.as_buffer(of_type="d")).astype(np.float32)


def _with_codes(flat: bytes, schema: Schema) -> bytes | None:
    """Return the cells of all lines with their labels replaced by codes, None where a label is not known."""
    if b'"' in flat:
        return None
    try:
        cells = flat.decode().split(",")
        for place, feature in enumerate(schema.features):
            if isinstance(feature, LabelFeature):
                codes = feature.code_texts
                cells[place :: schema.width] = [
                    codes[cell] for cell in cells[place :: schema.width]
                ]
    except (KeyError, UnicodeDecodeError):
        return None
    return ",".join(cells).encode()


def _with_nulls(flat: bytes) -> bytes:
    """Return the cells with null in the empty ones."""
    flat = flat.replace(b",,", b",null,").replace(b",,", b",null,")
    return (
        (b"null" if flat[:1] in (b",", b"") else b"")
        + flat
        + (b"null" if flat[-1:] == b"," else b"")
    )
