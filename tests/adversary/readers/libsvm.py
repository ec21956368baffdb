"""Read text/libsvm strictly, word by word."""

import math
import re

from tests.adversary.columns import NAN, Invalid, parse_number
from tests.adversary.models import Model
from tests.adversary.readers.rows import Rows, decode_text, normalize_line_endings

QUERY_ID = re.compile(r"qid:[^:]*")
INDEX = re.compile(r"\d+", re.ASCII)


def read_libsvm(body: bytes, parameters: dict[str, str], model: Model) -> Rows:
    """Return the records of libsvm: every line except those with only a comment; raises Invalid.

    Comments need not be UTF-8.
    """
    text = normalize_line_endings(decode_text(body, keep_invalid=True)).removesuffix("\n")
    lines = [line for line in text.split("\n") if not line.lstrip().startswith("#")]
    if not lines:
        raise Invalid("no record")
    is_labeled = parameters.get("label", "").lower() != "absent"
    words = [line.partition("#")[0].split() for line in lines]
    return [_read_pairs(_drop_label(line) if is_labeled else line, model) for line in words]


def _read_pairs(words: list[str], model: Model) -> list[float]:
    row = [math.nan] * len(model.columns)
    seen = set()
    for word in words:
        if QUERY_ID.fullmatch(word):
            continue
        index, _, value = word.partition(":")
        if not INDEX.fullmatch(index):
            raise Invalid(word)
        column = int(index) - model.libsvm_base
        if not 0 <= column < len(row) or column in seen:
            raise Invalid(word)
        seen.add(column)
        row[column] = math.nan if NAN.fullmatch(value) else parse_number(value)
    pairs = zip(model.columns, row, strict=True)
    return [column.read_number(number) for column, number in pairs]


def _drop_label(words: list[str]) -> list[str]:
    """Return the pairs of a line, without its label, weight and query ID."""
    if words and not words[0].startswith("qid:"):
        label, colon, weight = words[0].partition(":")
        _check_label(label)
        if colon:
            _check_label(weight)
        words = words[1:]
    return words


def _check_label(word: str) -> None:
    """Raise Invalid for a label or a weight that is not a number; it may be infinite."""
    if word.lstrip("+-").lower() not in ("inf", "infinity", "nan"):
        parse_number(word)
