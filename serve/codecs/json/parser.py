"""JSON parser: parse the text of a document or of lines, and detect repeated names.

Other JSON parsers silently drop all values but the last of a repeated name.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from serve.diagnosis.invalid_json import describe_invalid_json
from serve.diagnosis.json_shapes import DATA, FEATURES, INSTANCES
from serve.errors import MalformedPayload

# Python rejects longer integers; as floats, they are infinite.
MAX_INTEGER_DIGITS = 4000


class RepeatedNames(dict[str, Any]):
    """A JSON object that contains a name more than once; ``pairs`` holds all names and values."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def parse(text: bytes) -> Any:
    """Return the value of a JSON text, which may contain NaN and Infinity; raises MalformedPayload.

    An object with a repeated name becomes RepeatedNames.
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


def parse_row(text: bytes, row: int) -> Any:
    """Return the value of a row in a document; raises MalformedPayload with the row's number."""
    return _parse_strictly(text, f"row {row}: ", is_line=False)


def _may_repeat_names(text: bytes, value: Any) -> bool:
    """Return whether the text has more colons than the value has names.

    Additional colons are due either to repeated names, which the parser drops, or to strings.
    """
    colon_count = text.count(b":")
    if not colon_count or colon_count <= (name_count := _count_names(value)):
        return False
    return colon_count > name_count + _count_wrapped_names(value)


def _count_names(value: Any) -> int:
    """Return how many names a document and its rows contain."""
    if isinstance(value, dict):
        return len(value) + _count_row_names(value.get(INSTANCES))
    return _count_row_names(value)


def _count_row_names(rows: Any) -> int:
    if not isinstance(rows, list):
        return 0
    return sum(len(row) for row in rows if type(row) is dict)


def _count_wrapped_names(value: Any) -> int:
    """Return how many names the objects within rows contain, in the shape that AWS documents."""
    rows = value.get(INSTANCES) if isinstance(value, dict) else value
    if not isinstance(rows, list):
        rows = [value]
    return sum(len(member) for row in rows if type(row) is dict for member in _find_members(row))


def _find_members(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    data = row.get(DATA)
    members = [data, row.get(FEATURES), data.get(FEATURES) if isinstance(data, dict) else None]
    return (member for member in members if isinstance(member, dict))


def _parse_line(text: bytes, row: int) -> Any:
    if not text.strip():
        raise MalformedPayload(
            f"row {row}: expected a record, got a blank line; only trailing blank lines are ignored"
        )
    return _parse_strictly(text, f"row {row}: ", is_line=True)


def _parse_strictly(text: bytes, prefix: str = "", *, is_line: bool = False) -> Any:
    """Return a JSON value with Python's parser, which reports repeated names and accepts NaN."""
    if not text.strip():
        raise MalformedPayload("expected JSON, got only whitespace")
    try:
        return json.loads(text.decode(), object_pairs_hook=_to_object, parse_int=_to_integer)
    except RecursionError as error:
        raise MalformedPayload(f"{prefix}invalid JSON: nested too deeply") from error
    except ValueError as error:
        reason = describe_invalid_json(text, error, is_line=is_line)
        raise MalformedPayload(prefix + reason) from error


def _to_integer(text: str) -> float:
    return int(text) if len(text) < MAX_INTEGER_DIGITS else float(text)


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else RepeatedNames(pairs)
