"""JSON rows: turn rows, which are lists or objects, into records."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from serve.codecs.json.parser import RepeatedNames
from serve.codecs.json.tensor import find_features, read_tensor
from serve.codecs.sparse import SLICE_NUMBERS
from serve.diagnosis.documents import describe_object
from serve.diagnosis.json_shapes import DATA, FEATURE_NAMES, FEATURES
from serve.diagnosis.json_values import find_list_hint, find_value_hint
from serve.errors import SENT, SchemaMismatch
from serve.records import Rows
from serve.schema.schema import Schema
from serve.text import listed, quoted, with_hint

NUMBER_TYPES = (float, int)


def rows_to_records(
    rows: Sequence[Any], first_row: int, names: tuple[str, ...] | None, schema: Schema
) -> Iterator[Rows]:
    """Yield rows, which are either all lists or all objects, as records.

    The values of lists are in the order of ``names``, or in schema order if that is None. Raises
    SchemaMismatch for other values, and for lists mixed with objects.
    """
    expected_kind = None
    if schema.ignored:
        rows = [drop_ignored_keys(row, schema) for row in rows]
    for own_names, group in groupby(rows, key=_find_own_names):
        run = list(group)
        kind = "a list"
        if own_names is not None:
            kind = "an object"
            check_object(run[0], schema, f"row {first_row}: ")
        if expected_kind not in (None, kind):
            raise SchemaMismatch(
                f"row {first_row}: expected {expected_kind}, like the rows before it"
            )
        expected_kind = kind
        if own_names is None:
            yield from _lists_to_rows(run, first_row, names, schema)
        elif names is None:
            yield _objects_to_rows(run, first_row, tuple(own_names))
        else:
            raise SchemaMismatch(
                f'row {first_row}: expected a list of values in the order of "{FEATURE_NAMES}", '
                "got an object"
            )
        first_row += len(run)


def drop_ignored_keys(row: Any, schema: Schema) -> Any:
    """Return an object without the keys that the schema ignores; return other values unchanged."""
    if not isinstance(row, dict) or isinstance(row, RepeatedNames):
        return row
    names = tuple(row)
    kept = schema.find_kept(names)
    return row if kept is None else {names[index]: row[names[index]] for index in kept}


def check_object(row: dict[str, Any], schema: Schema, prefix: str = "") -> None:
    """Raise SchemaMismatch if an object is of a known shape other than a row's.

    The names of a row are not checked: the schema does that.
    """
    name, value = next(iter(row.items()), ("", None))
    if schema.names and name in schema.names and not isinstance(value, list | dict):
        return
    for member in (row, row.get(DATA), row.get(FEATURES)):
        if isinstance(member, RepeatedNames):
            keys = listed(name for name, _ in member.pairs)
            raise SchemaMismatch(f"{prefix}expected each key once, got {SENT}", keys)
    if mismatch := describe_object(row, schema.names, schema.width):
        raise SchemaMismatch(prefix + mismatch[0], mismatch[1])


def _find_own_names(row: Any) -> Sequence[str] | None:
    """Return the names of an object's values, or None for a list.

    Objects with the same names in another order have equal names.
    """
    if isinstance(row, RepeatedNames):
        return tuple(name for name, _ in row.pairs)
    if not isinstance(row, dict) or find_features(row) is not None:
        return None
    return row.keys()  # type: ignore[return-value]  # a view, which compares like a set


def _lists_to_rows(
    rows: list[Any], first_row: int, names: tuple[str, ...] | None, schema: Schema
) -> Iterator[Rows]:
    """Yield lists in slices: a sparse row is far larger in memory than in the payload."""
    source, step = f'"{FEATURE_NAMES}"', max(1, SLICE_NUMBERS // schema.width)
    for start in range(0, len(rows), step):
        first = first_row + start
        part = rows[start : start + step]
        cells = [_read_cells(row, number, schema) for number, row in enumerate(part, first)]
        if cells[0] and type(cells[0][0]) not in NUMBER_TYPES:
            _check_list(cells[0], first, schema)
        yield Rows(cells, textual=False, first_row=first, names=names, names_source=source)


def _check_list(cells: list[Any], row: int, schema: Schema) -> None:
    """Raise SchemaMismatch if a list contains rows, a header or text instead of values."""
    names = None if schema.has_labels else schema.names
    if hint := find_list_hint(cells, names, schema.width):
        raise SchemaMismatch(
            f"row {row}: expected a list of values, got {SENT}; {hint}", quoted(cells)
        )


def _read_cells(row: Any, number: int, schema: Schema) -> list[Any]:
    if isinstance(row, list):
        return row
    if isinstance(row, dict):
        features = find_features(row)
        if isinstance(features, list):
            return features
        return read_tensor(features, number, schema.width)
    reason = "expected a list of values or an object with a value for each column"
    hint = find_value_hint(row, schema.width)
    raise SchemaMismatch(with_hint(f"row {number}: {reason}, got {SENT}", hint), quoted(row))


def _objects_to_rows(rows: list[Any], first_row: int, names: tuple[str, ...]) -> Rows:
    cells = _read_object_cells(rows, names)
    source = f"row {first_row}"
    return Rows(cells, textual=False, first_row=first_row, names=names, names_source=source)


def _read_object_cells(rows: list[Any], names: tuple[str, ...]) -> list[Sequence[Any]]:
    if isinstance(rows[0], RepeatedNames):
        return [[value for _, value in row.pairs] for row in rows]
    if len(names) < 2:  # noqa: PLR2004  # itemgetter returns tuples only for two names or more
        return [[row[name] for name in names] for row in rows]
    return list(map(itemgetter(*names), rows))
