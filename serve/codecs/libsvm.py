"""text/libsvm: a line for each record, ``label index:value index:value ...``.

Source: contract 3.14; XGBoost's text input format (dmlc/xgboost, doc/tutorials/input_format.rst).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import numpy as np
import orjson

from serve.codecs.lines import BYTE_ORDER_MARK, slices_of_lines
from serve.codecs.sparse import rows_in_slice, scattered
from serve.errors import SENT, MalformedPayload, SchemaMismatch
from serve.records import Records
from serve.schema.feature import NAN_TEXT
from serve.schema.schema import Schema
from serve.text import is_number, quoted

COMMENT = b"#"
# A line without comment, query or nan: a label, or none, and pairs.
PLAIN = re.compile(
    rb"[ \t]*(?:[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?:[ \t]+|\Z))?(?:\d{1,9}:[-+.\deE]+(?:[ \t]+|\Z))*"
)
LONGEST_INDEX = 18  # digits of an int64
EXPECTED = 'expected "label index:value index:value ...", the label or not'

# The pairs of each line, one after the other, and how many each line has.
Pairs = tuple[list[int], list[int], list[float]]


def decode(payload: bytes, _parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the lines as records: each line is one, also without features, but for those of only a comment.

    The label is optional, and read over as ``qid:`` is. An index that is not there means a missing value.
    Raises MalformedPayload and SchemaMismatch.
    """
    body = payload.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    rows, first_row = rows_in_slice(schema.width), 1
    for part in slices_of_lines(body.removesuffix(b"\n")):
        lines = part.split(b"\n")
        if COMMENT in part:
            lines = [
                line.partition(COMMENT)[0]
                for line in lines
                if not line.lstrip().startswith(COMMENT)
            ]
        for start in range(0, len(lines), rows):
            yield _records(lines[start : start + rows], first_row, schema)
            first_row += min(rows, len(lines) - start)


def _records(lines: Sequence[bytes], first_row: int, schema: Schema) -> Records:
    counts, indices, values = _plain_pairs(lines) or _pairs(lines, first_row)
    columns = np.array(indices, dtype=np.int64) - schema.libsvm_base
    outside = np.flatnonzero((columns < 0) | (columns >= schema.width))
    if len(outside):
        raise _outside(_row_of(int(outside[0]), counts, first_row), indices[outside[0]], schema)
    numbers, repeated = scattered(counts, columns, np.array(values, dtype=np.float64), schema.width)
    if repeated is not None:
        row = _row_of(repeated, counts, first_row)
        raise MalformedPayload(
            f"row {row}: index {SENT} stands more than once", str(indices[repeated])
        )
    return Records((), textual=False, first_row=first_row, numbers=numbers)


def _plain_pairs(lines: Sequence[bytes]) -> Pairs | None:
    """Return the pairs if all lines are plain, at a third of what reading them with care takes; else None."""
    counts, pairs = [], []
    for line in lines:
        if not PLAIN.fullmatch(line):
            return None
        words = line.split()
        if words and b":" not in words[0]:
            del words[0]
        counts.append(len(words))
        pairs += words
    try:
        flat = orjson.loads(b"[" + b",".join(pairs).replace(b":", b",") + b"]")
    except orjson.JSONDecodeError:  # such as .5 or +1
        return None
    return counts, flat[::2], flat[1::2]


def _pairs(lines: Sequence[bytes], first_row: int) -> Pairs:
    """Return the pairs of lines, each word looked at; raises MalformedPayload, which names the row."""
    counts, indices, values = [], [], []
    for row, line in enumerate(lines, first_row):
        words = [word.decode(errors="replace") for word in line.split()]
        if words and ":" not in words[0]:
            _check_label(words.pop(0), row)
        pairs = [_pair(word, row) for word in words if not word.startswith("qid:")]
        counts.append(len(pairs))
        indices += [index for index, _ in pairs]
        values += [value for _, value in pairs]
    return counts, indices, values


def _check_label(word: str, row: int) -> None:
    if not is_number(word):
        raise MalformedPayload(f"row {row}: {EXPECTED}, got {SENT}", quoted(word))


def _pair(word: str, row: int) -> tuple[int, float]:
    index, colon, value = word.partition(":")
    if not (colon and index.isascii() and index.isdigit() and len(index) <= LONGEST_INDEX):
        raise MalformedPayload(f"row {row}: {EXPECTED}, got {SENT}", quoted(word))
    if not (is_number(value) or NAN_TEXT.fullmatch(value)):
        raise MalformedPayload(f"row {row}: {SENT} is not an index and a number", quoted(word))
    return int(index), float(value)


def _row_of(pair: int, counts: Sequence[int], first_row: int) -> int:
    """Return the row that holds the pair of this place among those of all rows."""
    return first_row + next(row for row, end in enumerate(accumulate(counts)) if end > pair)


def _outside(row: int, index: int, schema: Schema) -> SchemaMismatch:
    """Return what is wrong with an index that the model does not have, and the likely cause."""
    base, width = schema.libsvm_base, schema.width
    message = f"row {row}: expected an index from {base} to {width - 1 + base}, got {SENT}"
    other = 1 - base
    if index == (width if base == 0 else 0):
        message += f"; indices count from {base} here: if yours count from {other}, set SERVE_LIBSVM_BASE={other}"
    return SchemaMismatch(message, str(index))
