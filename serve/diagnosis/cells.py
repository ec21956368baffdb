"""Cells: find out why one cell of a payload, text or JSON value, does not fit its column.

A hint names what probably came and the one thing to change. It never quotes the payload, because
hints are logged.
"""

import re

from serve.diagnosis.similar import find_similar
from serve.records import Cell
from serve.text import NUMBER, is_number, quoted

# Other programs represent a missing value like this. Here, these are errors with a hint.
SPELLINGS_OF_NULL = """
na n/a n.a. n.a <na> #n/a #na #nv n/d nd nan null none nil undefined nat pd.na pd.nat np.nan
(null) (none) (na) [null] <null> <none> {null} (missing) (empty) (blank)
#null! #value! #ref! #div/0! #num! #name? float('nan') nan(ind) -nan(ind) nan(snan) \\n
1.#qnan -1.#qnan 1.#ind -1.#ind 1.#nan - -- --- \N{EN DASH} \N{EM DASH} . .. ... ? ?? * ** _
"""
FOREIGN_MISSING_VALUES = frozenset(SPELLINGS_OF_NULL.split())
# These may also be categories of their own.
WORDS_FOR_MISSING = frozenset(
    ("missing", "unknown", "empty", "blank", "void", "no data", "not available", "not applicable")
)
BOOLEANS = frozenset(("true", "false", "yes", "no", "t", "f", "y", "n", "on", "off"))

MAX_LENGTH = 80

# What a text that is not a number really is, and what to change, in order of precedence.
NUMBER_FORMS = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (r"=.*", "send the value of the formula"),
        (
            r"[+-]?\d{1,3}(?:[ \u00a0\u202f'’_]\d{3})+(?:[.,]\d+)?",
            "remove the thousands separators",
        ),
        (r"[+-]?\d{1,3}(?:,\d{3}){2,}(?:\.\d+)?", "remove the thousands separators"),
        (r"[+-]?\d{1,3}(?:,\d{3})+\.\d+", "remove the thousands separators"),
        (
            r"[+-]?\d{1,3}(?:\.\d{3})+,\d+",
            "remove the thousands separators, and write a decimal point",
        ),
        (r"[+-]?\d{1,3}(?:\.\d{3}){2,}", "remove the thousands separators"),
        (
            r"[+-]?[1-9]\d{0,2},\d{3}",
            "remove the thousands separator, or write a decimal point for a decimal comma",
        ),
        (
            rf"{NUMBER}, *{NUMBER}(?:, *{NUMBER})+",
            "remove the quotes around the line",
        ),
        (r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", "write a decimal point, not a comma"),
        (r".*[%‰]|[%‰].*", "send the number without the percent sign, as in training"),
        (r"[+-]?\s*[$€£¥₹]\s*.*|.*[$€£¥₹]", "send the number without the currency"),
        (r"(?:USD|EUR|GBP|JPY|CHF|INR|CNY)\s*[\d.,+-]+", "send the number without the currency"),
        (r"[+-]?0[xX][0-9a-fA-F]+|[+-]?0[bB][01]+|[+-]?0[oO][0-7]+", "write a decimal number"),
        (
            r"\d{4}[-/]\d\d?[-/]\d\d?(?:[T ].*)?|\d\d?[/.]\d\d?[/.]\d{2,4}(?: .*)?",
            "convert dates and times to numbers, as in training",
        ),
        (r"\d\d?:\d\d(?::\d\d.*)?", "convert dates and times to numbers, as in training"),
        (r"[+-]?\d+(?:_\d+)+(?:\.\d+)?", "remove the underscores"),
        (r"[+-]?\d+ +\d+/\d+|[+-]?\d+/\d+", "write the fraction as a decimal number"),
        (r"(?:np|numpy|torch|tf)\.\w+\(.*\)|Decimal\(.*\)", "send only the number"),
        (rf"[\"'‘’“”`]+\s*{NUMBER}\s*[\"'‘’“”`]+", "remove the quotes around the number"),
        (rf"[\[(]+\s*{NUMBER}\s*,?\s*[\])]+", "remove the brackets around the number"),
        (rf"[<>≤≥~≈±]=?\s*{NUMBER}", "send only the number"),
        (r"[−–]\s*(?:\d+(?:\.\d*)?|\.\d+)", "write the minus sign as -"),
        (rf"{NUMBER}\s*[^\W\d]+.*", "send the number without its unit"),
        (rf"{NUMBER}(?:\s+{NUMBER})+", "separate the values with commas"),
    )
)


def find_number_hint(cell: Cell, *, textual: bool) -> str:
    """Return a hint for a cell that is not a number, or an empty string."""
    text = cell.strip() if isinstance(cell, str) else quoted(cell)
    if text.lower() in BOOLEANS:
        return "send 1 or 0 for true or false"
    if not isinstance(cell, str):
        return ""
    if hint := _find_missing_value_hint(text, textual=textual):
        return hint
    if not textual and is_number(text):
        return "send the number without quotes"
    return _find_form_hint(text)


def find_label_hint(cell: Cell, labels: tuple[str, ...], *, textual: bool) -> str:
    """Return a hint for a cell that is not one of a column's labels, or an empty string."""
    text = cell if isinstance(cell, str) else quoted(cell)
    similar = find_similar(text, labels)
    if similar is not None:
        return f"did you mean {quoted(similar)}?"
    text = text.strip()
    if hint := _find_missing_value_hint(text, textual=textual):
        return hint
    if text.isdigit() and text.isascii() and int(text[:9]) < len(labels):
        return "send the label, not its code"
    return ""


def is_foreign_missing_value(text: str) -> bool:
    """Return whether another program would read a text as a missing value."""
    return text.strip().lower() in FOREIGN_MISSING_VALUES


def _find_missing_value_hint(text: str, *, textual: bool) -> str:
    is_spelling = text.lower() in FOREIGN_MISSING_VALUES | WORDS_FOR_MISSING
    if textual:
        return "leave the cell empty if the value is missing" if is_spelling else ""
    return "send null if the value is missing" if is_spelling or not text else ""


def _find_form_hint(text: str) -> str:
    if len(text) > MAX_LENGTH:
        return ""
    if not text.isascii() and _is_number_in_other_digits(text):
        return "write numbers with the digits 0 to 9"
    return next((hint for form, hint in NUMBER_FORMS if form.fullmatch(text)), "")


def _is_number_in_other_digits(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
