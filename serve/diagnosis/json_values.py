"""JSON values: find out what a value in place of a row of values is, for its message."""

import json
from collections.abc import Collection
from typing import Any

from serve.diagnosis.invalid_json import is_base64

DELIMITERS = ",;\t"


def find_value_hint(value: Any, width: int) -> str:
    """Return a hint for a value in place of a row or of the rows, or an empty string."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        example = "[1]" if width == 1 else "[1, 2]"
        return f"write a row as a list, such as {example}"
    if not isinstance(value, str):
        return ""
    if contains_json(value):
        return "this is JSON in a string: encode it only once"
    if is_base64(value):
        return "this is base64: send the values"
    if any(delimiter in value for delimiter in DELIMITERS):
        return "write a row as a list, such as [1, 2], or send CSV with Content-Type: text/csv"
    return ""


def find_list_hint(cells: list[Any], names: Collection[str] | None, width: int) -> str:
    """Return a hint for a list that contains rows, a header or text, or an empty string."""
    if all(isinstance(cell, list | dict) for cell in cells):
        only = len(cells) == 1
        return "remove one pair of brackets" if only else "send each of its values as a row"
    if len(cells) == 1 != width:
        return find_value_hint(cells[0], width)
    known_names = set(names or ())
    if names and all(isinstance(cell, str) and cell.strip() in known_names for cell in cells):
        return 'remove the header, or send it as "feature_names"'
    return ""


def contains_json(text: str) -> bool:
    """Return whether a string is the JSON text of an object or list."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
