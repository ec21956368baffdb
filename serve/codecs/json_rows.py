"""Rows of JSON, lists or objects, as records."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from serve.errors import SENT, MalformedPayload, SchemaMismatch
from serve.records import Records
from serve.text import quoted

FEATURES = "features"
NAMES_PLACE = '"feature_names"'
# Python refuses to read an integer of more; as a float it is infinite.
MOST_DIGITS = 4000


class RepeatedNames(dict[str, Any]):
    """A JSON object in which some name stands more than once; ``pairs`` has all that was sent."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def parse(text: bytes) -> Any:
    """Return the value of a JSON text, in which NaN and Infinity may stand bare; raises MalformedPayload.

    An object that repeats a name, which JSON readers pass over in silence, becomes RepeatedNames.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parse_with_care(text)
    return _parse_with_care(text) if _may_repeat_names(text, value) else value


def parse_lines(lines: bytes, first_row: int) -> list[Any]:
    """Return the JSON value of each line; raises MalformedPayload, which names the row."""
    texts = lines.split(b"\n")
    try:
        values = list(map(orjson.loads, texts))
    except orjson.JSONDecodeError:
        values = None
    if values is None or _may_repeat_names(lines, values):
        return [_parse_with_care(text, f"row {row}: ") for row, text in enumerate(texts, first_row)]
    return values


def records_of(
    rows: Sequence[Any], first_row: int, names: tuple[str, ...] | None = None
) -> Iterator[Records]:
    """Yield rows as records: lists in the order of ``names``, or of the schema; objects by the names that they bring.

    Raises SchemaMismatch for a row that is neither, and where lists and objects are mixed.
    """
    are_lists = None
    for own_names, group in groupby(rows, key=_own_names):
        run = list(group)
        if are_lists not in (None, own_names is None):
            raise SchemaMismatch(
                f"row {first_row}: expected {'a list' if are_lists else 'an object'}, as the rows before it"
            )
        are_lists = own_names is None
        if names is not None and not are_lists:
            raise SchemaMismatch(
                f'row {first_row}: expected a list, whose values "feature_names" names'
            )
        if own_names is None:
            lists = [_list_of(row, first_row + number) for number, row in enumerate(run)]
            yield Records(
                lists, textual=False, first_row=first_row, names=names, names_place=NAMES_PLACE
            )
        else:
            cells, place = _cells_of(run, tuple(own_names)), f"row {first_row}"
            yield Records(
                cells, textual=False, first_row=first_row, names=tuple(own_names), names_place=place
            )
        first_row += len(run)


def _may_repeat_names(text: bytes, value: Any) -> bool:
    """Tell whether an object may repeat a name: the text has a colon for each name sent, and perhaps more in strings."""
    colons = text.count(b":")
    return colons > 0 and colons > _names_in(value)


def _names_in(value: Any) -> int:
    """Return how many names the objects of a payload have, as far as payloads go: the whole, and its rows."""
    own, rows = (len(value), value.get("instances")) if isinstance(value, dict) else (0, value)
    return (
        own + sum(len(row) for row in rows if type(row) is dict) if isinstance(rows, list) else own
    )


def _parse_with_care(text: bytes, place: str = "") -> Any:
    if not text.strip():
        raise MalformedPayload(
            f"{place}the line is blank; only the last lines may be"
            if place
            else "expected JSON, got white space"
        )
    try:
        return json.loads(text.decode(), object_pairs_hook=_object_of, parse_int=_integer)
    except RecursionError as error:
        raise MalformedPayload(f"{place}this JSON is nested too deeply") from error
    except ValueError as error:
        raise MalformedPayload(f"{place}this is not JSON: {error}") from error


def _integer(text: str) -> float:
    return int(text) if len(text) < MOST_DIGITS else float(text)


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else RepeatedNames(pairs)


def _own_names(row: Any) -> Sequence[str] | None:
    """Return the names that a row brings, equal for rows that bring the same names in another order; None for a list."""
    if isinstance(row, RepeatedNames):
        return tuple(name for name, _ in row.pairs)
    if not isinstance(row, dict) or (len(row) == 1 and isinstance(row.get(FEATURES), list)):
        return None
    return row.keys()  # type: ignore[return-value]  # a view, which compares as a set does


def _list_of(row: Any, number: int) -> list[Any]:
    cells = row[FEATURES] if isinstance(row, dict) else row
    if isinstance(cells, list):
        return cells
    expected = "expected a list of values or an object with a value for each name"
    raise SchemaMismatch(f"row {number}: {expected}, got {SENT}", quoted(cells))


def _cells_of(rows: Sequence[dict[str, Any]], names: tuple[str, ...]) -> list[Sequence[Any]]:
    if isinstance(rows[0], RepeatedNames):
        return [[value for _, value in row.pairs] for row in rows if isinstance(row, RepeatedNames)]
    if len(names) < 2:  # noqa: PLR2004  # itemgetter returns tuples for two names and more
        return [[row[name] for name in names] for row in rows]
    return list(map(itemgetter(*names), rows))
