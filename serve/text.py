"""Text: quote, list and count values in messages, which stay short enough for one line."""

import json
from collections.abc import Iterable, Sequence

MAX_VALUE_CHARACTERS = 60
MAX_LIST_CHARACTERS = 600
# A decimal number as a regular expression; it takes linear time on any text.
NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"


def quoted(value: object) -> str:
    """Return a cell or a name as JSON, truncated with an ellipsis if it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 1] + "…"


def listed(values: Iterable[object]) -> str:
    """Return the quoted values separated by commas; a long list ends with "and 12 more"."""
    texts = [quoted(value) for value in values]
    length = 0
    for count, text in enumerate(texts):
        length += len(text) + len(", ")
        if length > MAX_LIST_CHARACTERS:
            return f"{', '.join(texts[:count])} and {len(texts) - count} more"
    return ", ".join(texts)


def shortened(texts: Sequence[str], maximum: int) -> str:
    """Return texts separated by commas; more than ``maximum`` of them end with "and 12 more"."""
    more = len(texts) - maximum
    shown = ", ".join(texts[:maximum])
    return f"{shown} and {more:,} more" if more > 0 else shown


def printable(value: object) -> str:
    """Return a text, such as a file name, with escapes for line breaks and invalid UTF-8."""
    text = str(value)
    return text if text.isprintable() else "".join(map(_escape, text))


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: "1 column", "2 columns"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def column_label(names: Sequence[str] | None, index: int) -> str:
    """Return a column's label in messages: 'column "carat"', or "column 1" if it has no name."""
    return f"column {index + 1}" if names is None else f"column {quoted(names[index])}"


def with_hint(message: str, hint: str) -> str:
    """Return a message followed by a hint, which may be empty."""
    return f"{message}; {hint}" if hint else message


def is_number(text: str) -> bool:
    """Return whether a text is a decimal number in ASCII.

    Unlike float(), reject underscores (1_000) and digits of other scripts.
    """
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    # Python represents a byte of a file name that is not UTF-8 as a lone surrogate.
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
