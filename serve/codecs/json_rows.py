"""JSON rows: parse JSON and turn rows, which are lists or objects, into records."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from serve.errors import SENT, MalformedPayload, SchemaMismatch
from serve.records import Rows
from serve.text import quoted

INSTANCES, FEATURE_NAMES, FEATURES = "instances", "feature_names", "features"
# Python rejects longer integers; as floats, they are infinite.
MAX_INTEGER_DIGITS = 4000


class RepeatedNames(dict[str, Any]):
    """A JSON object that contains a name more than once; ``pairs`` holds all names and values."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def parse(text: bytes) -> Any:
    """Return the value of a JSON text, which may contain NaN and Infinity; raises MalformedPayload.

    An object with a repeated name becomes RepeatedNames; other JSON parsers silently drop values.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parse_strictly(text)
    return _parse_strictly(text) if _may_repeat_names(text, value) else value


def parse_lines(lines: bytes, first_row: int) -> list[Any]:
    """Return the JSON value of each line; raises MalformedPayload with the row's number."""
    texts = lines.split(b"\n")
    try:
        values = list(map(orjson.loads, texts))
    except orjson.JSONDecodeError:
        values = None
    if values is None or _may_repeat_names(lines, values):
        return [_parse_line(text, row) for row, text in enumerate(texts, first_row)]
    return values


def rows_to_records(
    rows: Sequence[Any], first_row: int, names: tuple[str, ...] | None = None
) -> Iterator[Rows]:
    """Yield rows, which are either all lists or all objects, as records.

    The values of lists are in the order of ``names``, or in schema order if that is None. Raises
    SchemaMismatch for other values, and for lists mixed with objects.
    """
    expected_kind = None
    for own_names, group in groupby(rows, key=_find_own_names):
        run = list(group)
        kind = "a list" if own_names is None else "an object"
        if expected_kind not in (None, kind):
            raise SchemaMismatch(
                f"row {first_row}: expected {expected_kind}, like the rows before it"
            )
        expected_kind = kind
        if own_names is None:
            yield _lists_to_rows(run, first_row, names)
        elif names is None:
            yield _objects_to_rows(run, first_row, tuple(own_names))
        else:
            raise SchemaMismatch(
                f'row {first_row}: expected a list of values in the order of "{FEATURE_NAMES}", '
                "got an object"
            )
        first_row += len(run)


def _find_own_names(row: Any) -> Sequence[str] | None:
    """Return the names of an object's values, or None for a list.

    Objects with the same names in another order have equal names.
    """
    if isinstance(row, RepeatedNames):
        return tuple(name for name, _ in row.pairs)
    if not isinstance(row, dict):
        return None
    if len(row) == 1 and isinstance(row.get(FEATURES), list):
        return None
    return row.keys()  # type: ignore[return-value]  # a view, which compares like a set


def _lists_to_rows(rows: list[Any], first_row: int, names: tuple[str, ...] | None) -> Rows:
    cells = [_read_list_cells(row, number) for number, row in enumerate(rows, first_row)]
    source = f'"{FEATURE_NAMES}"'
    return Rows(cells, textual=False, first_row=first_row, names=names, names_source=source)


def _read_list_cells(row: Any, number: int) -> list[Any]:
    cells = row[FEATURES] if isinstance(row, dict) else row
    if isinstance(cells, list):
        return cells
    raise SchemaMismatch(
        f"row {number}: expected a list of values or an object with a value for each column, "
        f"got {SENT}",
        quoted(cells),
    )


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


def _may_repeat_names(text: bytes, value: Any) -> bool:
    """Return whether the text has more colons than the value has names.

    Additional colons are due either to repeated names, which the parser drops, or to strings.
    """
    colon_count = text.count(b":")
    return colon_count > 0 and colon_count > _count_names(value)


def _count_names(value: Any) -> int:
    """Return how many names a document and its rows contain."""
    if isinstance(value, dict):
        return len(value) + _count_row_names(value.get(INSTANCES))
    return _count_row_names(value)


def _count_row_names(rows: Any) -> int:
    if not isinstance(rows, list):
        return 0
    return sum(len(row) for row in rows if type(row) is dict)


def _parse_line(text: bytes, row: int) -> Any:
    if not text.strip():
        raise MalformedPayload(
            f"row {row}: expected a record, got a blank line; only trailing blank lines are ignored"
        )
    return _parse_strictly(text, f"row {row}: ")


def _parse_strictly(text: bytes, prefix: str = "") -> Any:
    """Return a JSON value with Python's parser, which reports repeated names and accepts NaN."""
    if not text.strip():
        raise MalformedPayload("expected JSON, got only whitespace")
    try:
        return json.loads(text.decode(), object_pairs_hook=_to_object, parse_int=_to_integer)
    except RecursionError as error:
        raise MalformedPayload(f"{prefix}invalid JSON: nested too deeply") from error
    except ValueError as error:
        raise MalformedPayload(f"{prefix}invalid JSON: {error}") from error


def _to_integer(text: str) -> float:
    return int(text) if len(text) < MAX_INTEGER_DIGITS else float(text)


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else RepeatedNames(pairs)
