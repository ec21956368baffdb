"""CSV columns: format the columns of a response as cells.

Source: RFC 4180; contract 3.18.
"""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from serve.codecs.json.text import format_values
from serve.columns import Column, Columns, Names, ValuesByClass, ValuesByName

QUOTED_CHARACTERS = frozenset('",\r\n')


def format_columns(columns: Columns) -> bytes:
    """Return one line per record, with one cell per column.

    A list becomes one quoted cell (``"[0.1, 0.9]"``), null becomes ``nan``, ValuesByName
    becomes one cell per name, and a name is quoted if necessary.
    """
    cells = [cells for column in columns.values() if len(column) for cells in _format_cells(column)]
    return b"".join(b",".join(row) + b"\n" for row in zip(*cells, strict=True))


def _format_cells(column: Column) -> Iterator[list[bytes]]:
    """Yield the text of each cell, one per record, for each cell of a column that is not empty."""
    match column:
        case Names():
            yield _format_names(column)
        case ValuesByName():
            for index in range(len(column.names)):
                yield _format_values(column.values[:, index])
        case ValuesByClass():
            yield _format_values(column.values)
        case _:
            yield _format_values(column)


def _format_values(values: NDArray[Any]) -> list[bytes]:
    return [_format_cell(text) for text in format_values(values)]


def _format_cell(text: bytes) -> bytes:
    text = text.replace(b"null", b"nan")
    return b'"' + text + b'"' if text.startswith(b"[") else text


def _format_names(column: Names) -> list[bytes]:
    texts = [_quote(str(name)).encode() for name in column.names]
    texts.append(b"nan")  # for the index -1
    return [texts[index] for index in column.values.tolist()]


def _quote(text: str) -> str:
    """Return a text as a cell; blanks at the ends, which some readers drop, are quoted too."""
    if text and text == text.strip() and QUOTED_CHARACTERS.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
