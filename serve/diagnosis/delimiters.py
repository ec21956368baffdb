"""Delimiters: recognize a line of text whose columns are not separated by commas."""

import re

# Each delimiter with its value in Content-Type.
PARAMETERS = {";": '";"', "\t": "tab", "|": "pipe", "^": '"^"', " ": "space"}
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+\s*")
MAX_CHARACTERS = 10_000


def find_delimiter_hint(line: str, expected_width: int) -> str:
    """Return the parameter to send for a line with another delimiter, or an empty string."""
    line = line[:MAX_CHARACTERS]
    for delimiter, parameter in PARAMETERS.items():
        cells = re.split(" +", line.strip()) if delimiter == " " else line.split(delimiter)
        if len(cells) != expected_width or expected_width == 1:
            continue
        hint = _describe(parameter)
        if any(map(DECIMAL_COMMA.fullmatch, cells)):
            hint += ", and write a decimal point, not a comma"
        return hint
    if "," in line:
        return ""
    return next((_describe(PARAMETERS[mark]) for mark in ";\t|" if mark in line), "")


def _describe(parameter: str) -> str:
    return f"if the delimiter is not a comma, send Content-Type: text/csv; delimiter={parameter}"
