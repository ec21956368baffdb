"""Ignored columns: drop the columns of records that are sent by name, but are not the model's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from serve.diagnosis.lines import describe_width_mismatch
from serve.errors import SchemaMismatch
from serve.records import Rows
from serve.schema.schema import Schema


def drop_ignored(rows: Rows, schema: Schema) -> Rows:
    """Return the rows without the ignored columns.

    Raises SchemaMismatch for a row that does not have as many cells as there are names.
    """
    names = rows.names
    kept = schema.find_kept(names)
    if names is None or kept is None:
        return rows
    width = len(names)
    for row, cells in enumerate(rows.cells, rows.first_row):
        if len(cells) != width:
            raise SchemaMismatch(describe_width_mismatch(names, width, row, len(cells)))
    select = build_selector(kept)
    return replace(rows, cells=list(map(select, rows.cells)), names=select(names))


def build_selector(kept: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return a function that selects these cells of a row."""
    if len(kept) > 1:
        return itemgetter(*kept)
    return lambda cells: tuple(cells[index] for index in kept)
