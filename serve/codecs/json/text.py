"""JSON text: format the values of output columns, one text per record."""

from collections.abc import Iterable
from typing import Any, NamedTuple

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
    return _format_records(_join_layouts(columns, map(_lay_out, columns.values())))


class _Layout(NamedTuple):
    """A template of the JSON text of a record, and the texts that it contains, for all records."""

    template: bytes
    texts: list[list[bytes]]


def _format_records(layout: _Layout) -> list[bytes]:
    """Return the text of each record; one template is several times as fast as joining members."""
    return [layout.template % row for row in zip(*layout.texts, strict=True)]


def _lay_out(column: Column) -> _Layout:
    match column:
        case Names():
            return _Layout(b"%b", [_format_names(column)])
        case ValuesByName(top=None):
            return _lay_out_by_name(column)
        case ValuesByName():
            return _Layout(b"%b", [_format_top(column)])
        case ValuesByClass():
            return _lay_out_by_class(column.classes, column.values)
        case _:
            return _Layout(b"%b", [format_values(column)])


def _lay_out_by_name(column: ValuesByName) -> _Layout:
    indices = range(len(column.names))
    return _join_layouts(column.names, [_lay_out_name(column, index) for index in indices])


def _lay_out_name(column: ValuesByName, index: int) -> _Layout:
    values = column.values[:, index]
    if column.classes is None:
        return _Layout(b"%b", [format_values(values)])
    return _lay_out_by_class(column.classes, values)


def _lay_out_by_class(classes: tuple[str, ...], values: NDArray[Any]) -> _Layout:
    return _lay_out_by_name(ValuesByName(classes, values.reshape(len(values), -1)))


def _join_layouts(names: Iterable[str], layouts: Iterable[_Layout]) -> _Layout:
    """Return the layout of an object with these names."""
    members, texts = [], []
    for name, layout in zip(names, layouts, strict=True):
        members.append(_format_key(name).replace(b"%", b"%%") + layout.template)
        texts += layout.texts
    return _Layout(b"{" + b", ".join(members) + b"}", texts)


def _format_top(column: ValuesByName) -> list[bytes]:
    """Return an object for each record, with the names that it displays."""
    keys = list(map(_format_key, column.names))
    texts = [_format_records(_lay_out_name(column, index)) for index in range(len(keys))]
    return [
        b"{" + b", ".join([keys[index] + texts[index][row] for index in displayed]) + b"}"
        for row, displayed in enumerate(column.displayed_names().tolist())
    ]


def _format_names(column: Names) -> list[bytes]:
    """Return the name of each record as JSON: a string or a whole number."""
    texts = [
        orjson.dumps(name) if isinstance(name, str) else str(name).encode() for name in column.names
    ]
    texts.append(b"null")  # for the index -1
    return [texts[index] for index in column.values.tolist()]


def _format_key(name: str) -> bytes:
    return orjson.dumps(name) + b": "
