"""Large JSON: reject a large document that would have to be parsed as a whole.

Parsing blocks other threads, and needs up to 75 times the size of the text in memory.
"""

import json

from serve.codecs.json.parser import parse, parse_row
from serve.codecs.json.slices import BETWEEN_ROWS, CLOSING_BYTES, OPENING, RowsText
from serve.codecs.lines import SLICE_BYTES
from serve.codecs.row_limits import (
    compute_max_row_bytes,
    compute_max_separators,
    describe_long_row,
)
from serve.errors import InvocationError, MalformedPayload, SchemaMismatch
from serve.schema.schema import Schema

# The beginning of a document that is parsed to find an error in it.
HEAD_BYTES = 1 << 16
MAX_CHARACTER_BYTES = 4


def is_small(body: bytes, schema: Schema) -> bool:
    """Return whether a document may be parsed as a whole."""
    if len(body) <= SLICE_BYTES:
        return True
    if len(body) > compute_max_row_bytes(schema.width):
        return False
    return body.count(b",") <= compute_max_separators(schema.width)


def describe_large_document(body: bytes, schema: Schema) -> InvocationError:
    """Return the error for a document that is neither small nor cut into rows."""
    head = body[:HEAD_BYTES]
    if OPENING.match(head):
        return MalformedPayload(
            'expected "]" or "]}" after the last row; the text may be truncated, or contain keys '
            'other than "instances" and "feature_names"'
        )
    if not body.strip():
        return MalformedPayload("expected JSON, got only whitespace")
    try:
        parse(head)
    except MalformedPayload as error:
        if _is_in_head(error.__cause__, head):
            return error
    if head.lstrip()[:1] == b"[":
        return describe_long_list(body, 0, len(body), 1, schema)
    return MalformedPayload(
        'expected {"instances": [row, ...]} or a list of rows; '
        f"{describe_long_row(1, schema.width)}"
    )


def _is_in_head(cause: BaseException | None, head: bytes) -> bool:
    """Return whether an error is in the head itself, and not due to its end."""
    if isinstance(cause, UnicodeDecodeError):
        return cause.start < len(head) - MAX_CHARACTER_BYTES
    if isinstance(cause, json.JSONDecodeError):
        is_cut = cause.msg.startswith("Unterminated string")
        return not is_cut and cause.pos < len(head.decode(errors="replace").rstrip())
    return isinstance(cause, RecursionError)


def check_part(rows: RowsText, start: int, end: int, first_row: int, schema: Schema) -> None:
    """Raise SchemaMismatch or MalformedPayload if a part has too many values to be parsed."""
    if end - start <= 2 * SLICE_BYTES:
        return
    max_separators = SLICE_BYTES + compute_max_separators(schema.width)
    if rows.body.count(b",", start, end) > max_separators:
        raise describe_long_part(rows, start, first_row, schema)


def describe_long_part(
    rows: RowsText, start: int, first_row: int, schema: Schema
) -> InvocationError:
    """Return the error for a part of which some row is too long or too wide."""
    end = min(rows.end, start + SLICE_BYTES + CLOSING_BYTES)
    for found in BETWEEN_ROWS.finditer(rows.body, start, end):
        start = found.end(1)
        first_row += 1
    return describe_long_list(rows.body, start, rows.end, first_row, schema)


def describe_long_list(
    body: bytes, start: int, end: int, row: int, schema: Schema
) -> InvocationError:
    """Return the error for a row that is too long, with its width if it is a list of numbers."""
    opening, closing = body.find(b"[", start, start + SLICE_BYTES), body.find(b"]", start, end)
    if closing >= 0:
        end = closing
    is_flat = all(body.find(mark, opening + 1, end) < 0 for mark in (b"[", b"{", b'"'))
    width = body.count(b",", opening, end) + 1
    if opening >= 0 and is_flat and width != schema.width:
        return SchemaMismatch(schema.describe_width_mismatch(row, width))
    return MalformedPayload(describe_long_row(row, schema.width))


def check_rows_one_by_one(part: bytes, first_row: int) -> None:
    """Raise MalformedPayload, with the number of the row, for the first row that is not valid."""
    start = 0
    for found in BETWEEN_ROWS.finditer(part):
        parse_row(part[start : found.start(1)], first_row)
        start = found.end(1)
        first_row += 1
    parse_row(part[start:], first_row)
