"""How messages write the names and values of a caller's data: quoted, and short enough for one line."""

import json
from collections.abc import Iterable, Sequence

LONGEST_VALUE = 60
LONGEST_LIST = 600


def quoted(value: object) -> str:
    """Return a cell or a name as JSON writes it, cut short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def listed(values: Iterable[object]) -> str:
    """Return the values with commas between, as many as a message holds, and how many more there are."""
    texts = [quoted(value) for value in values]
    length = 0
    for count, text in enumerate(texts):
        length += len(text) + 2
        if length > LONGEST_LIST:
            return f"{', '.join(texts[:count])} and {len(texts) - count} more"
    return ", ".join(texts)


def counted(count: int, noun: str) -> str:
    """Return the number with its noun: "1 column", "2 columns"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def column_name(names: Sequence[str] | None, position: int) -> str:
    """Return how a message names a column: by its name, or by its place, from 1."""
    return f"column {position + 1}" if names is None else f"column {quoted(names[position])}"


def is_number(text: str) -> bool:
    """Return whether a text is a decimal number in ASCII.

    Unlike float(), reject underscores (1_000) and digits of other scripts.
    """
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text
