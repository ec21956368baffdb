"""The words of a libsvm line: an optional label, query ID and ``index:value`` pairs.

Source: XGBoost's text input format (dmlc/xgboost, doc/tutorials/input_format.rst), and the
behavior of its reader.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from serve.diagnosis.payloads import find_payload_hint
from serve.errors import SENT, MalformedPayload
from serve.media.types import LIBSVM
from serve.schema.feature import NAN_TEXT
from serve.text import is_number, quoted, with_hint

NUMBER = rb"\d{1,30}(?:\.\d*)?(?:[eE][-+]?\d{1,2})?"
PAIRS = rb"(?:\d{1,9}:[-+.\deE]+(?:[ \t]+|\Z))*"
# Lines without comments, query IDs and NaN: label or label:weight and then pairs, or only pairs.
PLAIN_LABELED = re.compile(
    rb"[ \t]*(?:[-+]?" + NUMBER + rb"(?::\+?" + NUMBER + rb")?(?:[ \t]+|\Z)" + PAIRS + rb")?"
)
PLAIN_UNLABELED = re.compile(rb"[ \t]*" + PAIRS)
MAX_INDEX_DIGITS = 18  # of an int64
QUERY_ID = re.compile(r"qid:[^:]*")  # with a second colon, it may hide a pair
EXPECTED = 'expected "label index:value index:value ..."'
EXPECTED_UNLABELED = 'expected "index:value index:value ..." because of label=absent'


class Pairs(NamedTuple):
    """The number of pairs in each line, the indices and values of all pairs, and any weights.

    ``weighted`` is whether a line began with ``label:weight``.
    """

    counts: list[int]
    indices: list[int]
    values: list[float]
    weighted: bool


def read_pairs(lines: Sequence[bytes], first_row: int, *, labeled: bool) -> Pairs:
    """Return the pairs of the lines, the first of which is row ``first_row``.

    The first word of a labeled line is ``label`` or ``label:weight``, unless it is a query ID.
    Raises MalformedPayload with the row's number.
    """
    plain = _read_plain_pairs(lines, labeled=labeled)
    return plain or _read_any_pairs(lines, first_row, labeled=labeled)


def _read_plain_pairs(lines: Sequence[bytes], *, labeled: bool) -> Pairs | None:
    """Return the pairs of the lines, or None if a line is not plain.

    This is three times as fast as ``_read_any_pairs``.
    """
    pattern = PLAIN_LABELED if labeled else PLAIN_UNLABELED
    counts, pairs, weighted = [], [], False
    for line in lines:
        if not pattern.fullmatch(line):
            return None
        words = line.split()
        if labeled and words:
            weighted = weighted or b":" in words[0]
            del words[0]
        counts.append(len(words))
        pairs += words
    try:
        numbers = orjson.loads(b"[" + b",".join(pairs).replace(b":", b",") + b"]")
    except orjson.JSONDecodeError:  # numbers that JSON does not allow, such as .5 or +1
        return None
    return Pairs(counts, numbers[::2], numbers[1::2], weighted)


def _read_any_pairs(lines: Sequence[bytes], first_row: int, *, labeled: bool) -> Pairs:
    """Return the pairs of any lines; raises MalformedPayload with the row's number."""
    counts, indices, values, weighted = [], [], [], False
    for row, line in enumerate(lines, first_row):
        words = [word.decode(errors="replace") for word in line.split()]
        if labeled and words and not words[0].startswith("qid:"):
            label = words.pop(0)
            _check_label(label, row, line)
            weighted = weighted or ":" in label
        expected = EXPECTED if labeled else EXPECTED_UNLABELED
        words = [word for word in words if not QUERY_ID.fullmatch(word)]
        pairs = [_read_pair(word, row, line, expected) for word in words]
        counts.append(len(pairs))
        indices += [index for index, _ in pairs]
        values += [value for _, value in pairs]
    return Pairs(counts, indices, values, weighted)


def _check_label(word: str, row: int, line: bytes) -> None:
    """Raise MalformedPayload if the first word of a line is neither a label nor label:weight.

    XGBoost's reader accepts negative weights, and skips the text in a weight such as ``1:nan``.
    Neither is plausible here: such a word is probably the first pair of a row without a label.
    """
    label, colon, weight = word.partition(":")
    if not colon and is_number(label):
        return
    if not colon:
        raise _build_error(f"row {row}: {EXPECTED}", word, line)
    if not (_is_finite(label) and _is_finite(weight) and float(weight) >= 0):
        expected = (
            f"row {row}: expected a label, or label:weight with a weight of at least 0, "
            "as the first word"
        )
        advice = "if the rows have no label, send Content-Type: text/libsvm; label=absent"
        raise _build_error(expected, word, line, advice)


def _is_finite(text: str) -> bool:
    return is_number(text) and math.isfinite(float(text))


def _read_pair(word: str, row: int, line: bytes, expected: str) -> tuple[int, float]:
    index, colon, value = word.partition(":")
    is_index = index.isascii() and index.isdigit() and len(index) <= MAX_INDEX_DIGITS
    if not colon or not is_index:
        raise _build_error(f"row {row}: {expected}", word, line)
    if not (is_number(value) or NAN_TEXT.fullmatch(value)):
        message = f"row {row}: expected index:value with a number as value"
        raise _build_error(message, word, line)
    return int(index), float(value)


def _build_error(expected: str, word: str, line: bytes, advice: str = "") -> MalformedPayload:
    hint = find_payload_hint(line, LIBSVM) or advice
    return MalformedPayload(with_hint(f"{expected}, got {SENT}", hint), quoted(word))
