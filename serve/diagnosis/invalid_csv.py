"""Invalid CSV: explain why the CSV parser rejected a text, for the error's message."""

import csv

from serve.diagnosis.line_forms import MAX_CHARACTERS, find_form_hint
from serve.errors import MalformedPayload
from serve.text import with_hint

# What Python's parser reports, and what to change.
HINTS = {
    "unexpected end of data": "a cell begins with a quote and has no closing quote",
    "',' expected after '\"'": "in a cell in quotes, write each quote twice",
    "field larger than field limit (131072)": "check for a missing closing quote",
}


def explain_invalid_csv(error: csv.Error, place: str, text: str) -> MalformedPayload:
    """Return the error to raise for a text that the parser rejected at a place, such as "row 2".

    If the text begins like another format, the hint names that format.
    """
    reason = str(error)
    first_line = text[:MAX_CHARACTERS].partition("\n")[0]
    hint = find_form_hint(first_line.split(",")) or HINTS.get(reason, "")
    return MalformedPayload(with_hint(f"{place}: invalid CSV: {reason}", hint))
