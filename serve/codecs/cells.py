"""Cells: the text of each record's value in a column, as JSON writes it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.columns import Column, Columns, ValuesByName


def texts_of(values: NDArray[Any]) -> list[bytes]:
    """Return a text for each record of a column, (n,) or (n, k) with n > 0: ``0.9``, ``null`` or ``[0.1, 0.9]``.

    A number is the shortest that reads back to the same float32; what is no finite number is null.
    """
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    if values.ndim == 1:
        return text[1:-1].split(b",")
    return [b"[" + each.replace(b",", b", ") + b"]" for each in text[2:-2].split(b"],[")]


def objects_of(columns: Columns) -> list[bytes]:
    """Return an object for each record, with a key for each column."""
    if not columns or not len(next(iter(columns.values()))):
        return []
    keys = [orjson.dumps(name) + b": " for name in columns]
    cells = zip(*map(_cells, columns.values()), strict=True)
    return [_object(zip(keys, row, strict=True)) for row in cells]


def _cells(column: Column) -> list[bytes]:
    if not isinstance(column, ValuesByName):
        return texts_of(column)
    keys = [orjson.dumps(name) + b": " for name in column.names]
    texts = [texts_of(column.values[:, place]) for place in range(len(keys))]
    return [
        _object((keys[place], texts[place][row]) for place in order)
        for row, order in enumerate(column.displayed_names().tolist())
    ]


def _object(members: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"{" + b", ".join([key + text for key, text in members]) + b"}"
