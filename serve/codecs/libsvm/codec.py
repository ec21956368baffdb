"""text/libsvm: one line per record, ``label index:value index:value ...``.

Source: contract 3.14; XGBoost's text input format (dmlc/xgboost, doc/tutorials/input_format.rst).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate

import numpy as np

from serve.codecs.libsvm.pairs import Pairs, read_pairs
from serve.codecs.lines import BYTE_ORDER_MARK, normalize_line_endings, split_slices
from serve.codecs.row_limits import (
    SMALL_ROW_BYTES,
    compute_max_row_bytes,
    describe_long_row,
)
from serve.codecs.sparse import compute_rows_per_slice, fill_matrix
from serve.errors import SENT, MalformedPayload, SchemaMismatch, UnsupportedMediaType
from serve.logs import log_event
from serve.records import Matrix, Records
from serve.schema.schema import Schema
from serve.text import counted, quoted

COMMENT = b"#"
# The parameter of Content-Type that declares whether lines begin with a label.
LABEL, PRESENT, ABSENT = "label", "present", "absent"


def decode(payload: bytes, parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the lines as records; a value whose index is not in a line is missing.

    Lines begin with a label or ``label:weight``, unless the parameters contain ``label=absent``.
    Labels, weights, query IDs and lines that contain only a comment are ignored.
    Raises MalformedPayload and SchemaMismatch.
    """
    label = parameters.get(LABEL, "").lower()
    body = normalize_line_endings(payload.removeprefix(BYTE_ORDER_MARK))
    step, first_row = compute_rows_per_slice(schema.width), 1
    for part in split_slices(body.removesuffix(b"\n")):
        lines = part.split(b"\n")
        if COMMENT in part:
            lines = _remove_comments(lines)
        if lines and len(lines[-1]) > SMALL_ROW_BYTES:
            _check_long_line(lines[-1], first_row + len(lines) - 1, schema)
        for start in range(0, len(lines), step):
            rows = lines[start : start + step]
            pairs = read_pairs(rows, first_row, labeled=label != ABSENT)
            if pairs.weighted and not label:
                _warn_about_weights()
            yield _build_matrix(pairs, first_row, schema)
            first_row += len(rows)
    if first_row == 1:
        raise MalformedPayload("expected at least one record, got only comments")


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Raise UnsupportedMediaType if the value of the ``label`` parameter is unknown."""
    label = parameters.get(LABEL, PRESENT)
    if label.lower() not in (PRESENT, ABSENT):
        raise UnsupportedMediaType(
            f"Content-Type: expected label=present or label=absent, got label={quoted(label)}"
        )


def _remove_comments(lines: Sequence[bytes]) -> list[bytes]:
    lines = [line for line in lines if not line.lstrip().startswith(COMMENT)]
    return [line.partition(COMMENT)[0] for line in lines]


def _check_long_line(line: bytes, row: int, schema: Schema) -> None:
    """Raise SchemaMismatch or MalformedPayload if a line has more pairs or bytes than a record."""
    # The label and its weight, and a query ID, also contain a colon.
    count = line.count(b":") - 2
    if count > schema.width:
        raise SchemaMismatch(
            f"row {row}: expected at most {counted(schema.width, 'pair')}, got {count:,} or more"
        )
    if len(line) > compute_max_row_bytes(schema.width):
        raise MalformedPayload(describe_long_row(row, schema.width))


def _build_matrix(pairs: Pairs, first_row: int, schema: Schema) -> Matrix:
    columns = np.array(pairs.indices, dtype=np.int64) - schema.libsvm_base
    outside = np.flatnonzero((columns < 0) | (columns >= schema.width))
    if len(outside):
        row = _find_row_of_pair(int(outside[0]), pairs.counts, first_row)
        raise _build_index_error(row, [pairs.indices[pair] for pair in outside], schema)
    values = np.array(pairs.values, dtype=np.float64)
    numbers, duplicate = fill_matrix(pairs.counts, columns, values, schema.width)
    if duplicate is not None:
        row = _find_row_of_pair(duplicate, pairs.counts, first_row)
        raise MalformedPayload(f"row {row}: duplicate index {SENT}", str(pairs.indices[duplicate]))
    return Matrix(numbers, first_row)


def _find_row_of_pair(pair: int, counts: Sequence[int], first_row: int) -> int:
    """Return the row of a pair, given the pair's index among the pairs of all rows."""
    return first_row + next(row for row, end in enumerate(accumulate(counts)) if end > pair)


def _build_index_error(row: int, outside: Sequence[int], schema: Schema) -> SchemaMismatch:
    """Return the error for indices that the model does not have, the first of which is in ``row``.

    If all of them are what a caller with the other base would send, the base is the cause. This is
    logged, because the caller's other payloads have the same base, and may be without an error.
    """
    base, width = schema.libsvm_base, schema.width
    message = f"row {row}: expected an index from {base} to {width - 1 + base}, got {SENT}"
    other_base = 1 - base
    only_in_other_base = width if base == 0 else 0
    if set(outside) == {only_in_other_base}:
        _warn_about_base(base, other_base)
        message += (
            f"; this server counts indices from {base}: "
            f"set SERVE_LIBSVM_BASE={other_base} if yours start at {other_base}"
        )
    return SchemaMismatch(message, str(outside[0]))


@cache  # once per process
def _warn_about_weights() -> None:
    log_event(
        logging.WARNING,
        "libsvm weights ignored",
        reason="lines begin with x:y, which is read as label:weight, as by XGBoost; "
        "if x:y is the first feature, send Content-Type: text/libsvm; label=absent",
    )


@cache  # once per process
def _warn_about_base(base: int, other_base: int) -> None:
    log_event(
        logging.WARNING,
        "libsvm base probably wrong",
        reason=f"a payload contains an index that exists only if indices start at {other_base}, "
        f"but this server counts from {base}, so other payloads may get wrong predictions; "
        f'set SERVE_LIBSVM_BASE={other_base}, or "libsvm_base": {other_base} in schema.json',
    )
