"""The outputs of a record as named cells: a list or an object becomes one cell for each value."""

import json
from collections.abc import Iterator
from typing import Any

ERROR = "error"
DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def parse_outputs(line: bytes) -> dict[str, str]:
    """Return the outputs of a record by their names; raises ValueError.

    Numbers keep the digits of the response. A null is an empty cell.
    """
    document = DECODER.decode(line.decode())
    if not isinstance(document, dict):
        raise ValueError(f"expected an object for each record, got {type(document).__name__}")  # noqa: TRY004  # invalid text
    return dict(_flatten(document, ""))


def _flatten(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield a name and a text for each value, such as ``class_probabilities_setosa``."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _flatten(item, f"{name}_{key}" if name else str(key))
    elif value is None:
        yield name, ""
    else:
        yield name, str(value).lower()  # true or false
