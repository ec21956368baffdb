"""text/libsvm: one line per record, ``label index:value index:value ...``.

Source: contract 3.14; XGBoost's text input format (dmlc/xgboost, doc/tutorials/input_format.rst).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import numpy as np
import orjson

from serve.codecs.lines import BYTE_ORDER_MARK, split_slices
from serve.codecs.sparse import compute_rows_per_slice, fill_matrix
from serve.errors import SENT, MalformedPayload, SchemaMismatch
from serve.records import Matrix, Records
from serve.schema.feature import NAN_TEXT
from serve.schema.schema import Schema
from serve.text import is_number, quoted

COMMENT = b"#"
# A line without comments, query IDs and NaN: an optional label, then pairs.
PLAIN_LINE = re.compile(
    rb"[ \t]*(?:[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?:[ \t]+|\Z))?"
    rb"(?:\d{1,9}:[-+.\deE]+(?:[ \t]+|\Z))*"
)
MAX_INDEX_DIGITS = 18  # of an int64
EXPECTED = 'expected "[label] index:value index:value ..."'

# The number of pairs in each line, and the indices and the values of all pairs.
Pairs = tuple[list[int], list[int], list[float]]


def decode(payload: bytes, _parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the lines as records; a value whose index is not in a line is missing.

    Labels, query IDs and lines that contain only a comment are ignored. Raises MalformedPayload and
    SchemaMismatch.
    """
    body = payload.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    step, first_row = compute_rows_per_slice(schema.width), 1
    for part in split_slices(body.removesuffix(b"\n")):
        lines = part.split(b"\n")
        if COMMENT in part:
            lines = _remove_comments(lines)
        for start in range(0, len(lines), step):
            rows = lines[start : start + step]
            yield _read_matrix(rows, first_row, schema)
            first_row += len(rows)


def _remove_comments(lines: Sequence[bytes]) -> list[bytes]:
    lines = [line for line in lines if not line.lstrip().startswith(COMMENT)]
    return [line.partition(COMMENT)[0] for line in lines]


def _read_matrix(lines: Sequence[bytes], first_row: int, schema: Schema) -> Matrix:
    counts, indices, values = _read_plain_pairs(lines) or _read_pairs(lines, first_row)
    columns = np.array(indices, dtype=np.int64) - schema.libsvm_base
    outside = np.flatnonzero((columns < 0) | (columns >= schema.width))
    if len(outside):
        pair = int(outside[0])
        raise _build_index_error(_find_row_of_pair(pair, counts, first_row), indices[pair], schema)
    float_values = np.array(values, dtype=np.float64)
    numbers, duplicate = fill_matrix(counts, columns, float_values, schema.width)
    if duplicate is not None:
        row = _find_row_of_pair(duplicate, counts, first_row)
        raise MalformedPayload(f"row {row}: duplicate index {SENT}", str(indices[duplicate]))
    return Matrix(numbers, first_row)


def _read_plain_pairs(lines: Sequence[bytes]) -> Pairs | None:
    """Return the pairs of the lines, or None if a line is not plain.

    This is three times as fast as ``_read_pairs``.
    """
    counts, pairs = [], []
    for line in lines:
        if not PLAIN_LINE.fullmatch(line):
            return None
        words = line.split()
        if words and b":" not in words[0]:
            del words[0]
        counts.append(len(words))
        pairs += words
    try:
        numbers = orjson.loads(b"[" + b",".join(pairs).replace(b":", b",") + b"]")
    except orjson.JSONDecodeError:  # numbers that JSON does not allow, such as .5 or +1
        return None
    return counts, numbers[::2], numbers[1::2]


def _read_pairs(lines: Sequence[bytes], first_row: int) -> Pairs:
    """Return the pairs of any lines; raises MalformedPayload with the row's number."""
    counts, indices, values = [], [], []
    for row, line in enumerate(lines, first_row):
        words = [word.decode(errors="replace") for word in line.split()]
        if words and ":" not in words[0]:
            _check_label(words.pop(0), row)
        pairs = [_read_pair(word, row) for word in words if not word.startswith("qid:")]
        counts.append(len(pairs))
        indices += [index for index, _ in pairs]
        values += [value for _, value in pairs]
    return counts, indices, values


def _check_label(word: str, row: int) -> None:
    if not is_number(word):
        raise MalformedPayload(f"row {row}: {EXPECTED}, got {SENT}", quoted(word))


def _read_pair(word: str, row: int) -> tuple[int, float]:
    index, colon, value = word.partition(":")
    is_index = index.isascii() and index.isdigit() and len(index) <= MAX_INDEX_DIGITS
    if not colon or not is_index:
        raise MalformedPayload(f"row {row}: {EXPECTED}, got {SENT}", quoted(word))
    if not (is_number(value) or NAN_TEXT.fullmatch(value)):
        raise MalformedPayload(
            f"row {row}: expected index:value with a number as value, got {SENT}", quoted(word)
        )
    return int(index), float(value)


def _find_row_of_pair(pair: int, counts: Sequence[int], first_row: int) -> int:
    """Return the row of a pair, given the pair's index among the pairs of all rows."""
    return first_row + next(row for row, end in enumerate(accumulate(counts)) if end > pair)


def _build_index_error(row: int, index: int, schema: Schema) -> SchemaMismatch:
    """Return the error for an index that the model does not have; the base may be the cause."""
    base, width = schema.libsvm_base, schema.width
    message = f"row {row}: expected an index from {base} to {width - 1 + base}, got {SENT}"
    other_base = 1 - base
    if index == (width if base == 0 else 0):
        message += (
            f"; this server counts indices from {base}: "
            f"set SERVE_LIBSVM_BASE={other_base} if yours start at {other_base}"
        )
    return SchemaMismatch(message, str(index))
