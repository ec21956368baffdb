"""JSON text: format the values of output columns, one text per record."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from serve.columns import Column, Columns, Names, ValuesByClass, ValuesByName


def format_values(values: NDArray[Any]) -> list[bytes]:
    """Return one text per record of a column, (n,) or (n, k) with n > 0.

    Examples: ``0.9``, ``null`` and ``[0.1, 0.9]``. Each number is the shortest text that
    round-trips to the same float32; NaN and infinity are null.
    """
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    if values.ndim == 1:
        return text[1:-1].split(b",")
    rows = text[2:-2].split(b"],[")
    return [b"[" + row.replace(b",", b", ") + b"]" for row in rows]


def format_objects(columns: Columns) -> list[bytes]:
    """Return one JSON object per record, with one key per column."""
    if not columns or not len(next(iter(columns.values()))):
        return []
    keys = _format_keys(columns)
    rows = zip(*map(_format_column, columns.values()), strict=True)
    return [_join_members(zip(keys, row, strict=True)) for row in rows]


def format_names(column: Names) -> list[bytes]:
    """Return the name of each record as JSON: a string or a whole number."""
    texts = [_format_class(name) for name in column.names]
    texts.append(b"null")  # for the index -1
    return [texts[index] for index in column.values.tolist()]


def _format_class(name: str | int) -> bytes:
    return orjson.dumps(name) if isinstance(name, str) else str(name).encode()


def _format_column(column: Column) -> list[bytes]:
    match column:
        case Names():
            return format_names(column)
        case ValuesByName():
            return _format_by_name(column)
        case ValuesByClass():
            return _format_by_class(column.classes, column.values)
        case _:
            return format_values(column)


def _format_by_class(classes: tuple[str, ...], values: NDArray[Any]) -> list[bytes]:
    return _format_by_name(ValuesByName(classes, values.reshape(len(values), -1)))


def _format_by_name(column: ValuesByName) -> list[bytes]:
    keys = _format_keys(column.names)
    texts = [_format_name(column, index) for index in range(len(keys))]
    return [
        _join_members((keys[index], texts[index][row]) for index in displayed)
        for row, displayed in enumerate(column.displayed_names().tolist())
    ]


def _format_name(column: ValuesByName, index: int) -> list[bytes]:
    values = column.values[:, index]
    return (
        format_values(values)
        if column.classes is None
        else _format_by_class(column.classes, values)
    )


def _format_keys(names: Iterable[str]) -> list[bytes]:
    return [orjson.dumps(name) + b": " for name in names]


def _join_members(members: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"{" + b", ".join([key + text for key, text in members]) + b"}"
