"""Cells: find out why one cell of a payload, text or JSON value, does not fit its column.

A hint names what probably came and the one thing to change. It never quotes the payload.
"""

from collections.abc import Sequence

from serve.records import Cell

# Other programs represent a missing value like this. Here, these are errors with a hint.
FOREIGN_MISSING_VALUES = {"na", "n/a", "<na>", "null", "none", "?", "-"}


def find_number_hint(cell: Cell, *, textual: bool) -> str:
    """Return a hint for a cell that is not a number, or an empty string."""
    return _find_missing_value_hint(cell, textual=textual)


def find_label_hint(cell: Cell, labels: Sequence[str], *, textual: bool) -> str:
    """Return a hint for a cell that is not one of a column's labels, or an empty string."""
    text = str(cell).strip()
    if text in labels and isinstance(cell, str):
        return "remove the spaces around the label"
    return _find_missing_value_hint(cell, textual=textual)


def is_foreign_missing_value(text: str) -> bool:
    """Return whether another program would read a text as a missing value."""
    return text.strip().lower() in FOREIGN_MISSING_VALUES


def _find_missing_value_hint(cell: Cell, *, textual: bool) -> str:
    if not isinstance(cell, str) or not is_foreign_missing_value(cell):
        return ""
    if textual:
        return "leave the cell empty if the value is missing"
    return "send null if the value is missing"
