"""application/json: all records in one document.

Source: contract 3.17 and 10.9 for the document's shape, 5.8 for JSON Lines sent as JSON.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.codecs.csv.fast_matrix import parse_json_matrix
from serve.codecs.json import lines as jsonlines
from serve.codecs.json.large import (
    check_part,
    check_rows_one_by_one,
    describe_large_document,
    describe_long_part,
    is_small,
)
from serve.codecs.json.parser import RepeatedNames, parse
from serve.codecs.json.rows import check_object, drop_ignored_keys, rows_to_records
from serve.codecs.json.slices import RowsText, find_rows
from serve.codecs.json.tensor import find_features
from serve.codecs.json.text import format_objects
from serve.codecs.lines import BYTE_ORDER_MARK
from serve.codecs.row_limits import compute_max_row_bytes
from serve.columns import Columns
from serve.diagnosis.documents import describe_extra_keys
from serve.diagnosis.json_shapes import FEATURE_NAMES, INSTANCES
from serve.diagnosis.json_values import find_value_hint
from serve.errors import SENT, MalformedPayload
from serve.records import Matrix, Records
from serve.schema.schema import Schema
from serve.text import listed, quoted

CONCATENATES = False

# A matrix of the fast path, or rows that are lists or objects.
ParsedRows = list[Any] | NDArray[np.float32]
Names = tuple[str, ...] | None

RESPONSE_START, SEPARATOR, RESPONSE_END = b'{"predictions": [', b", ", b"]}\n"


def decode(payload: bytes, parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the rows of the document as records; raises MalformedPayload and SchemaMismatch."""
    body = payload.removeprefix(BYTE_ORDER_MARK)
    first_row = 1
    try:
        for rows, names in _read_slices(body, schema):
            if isinstance(rows, np.ndarray):
                yield Matrix(rows, first_row, names, accepted=True)
            else:
                yield from rows_to_records(rows, first_row, names, schema)
            first_row += len(rows)
    except MalformedPayload:
        if first_row > 1 or not _is_json_lines(body, schema):
            raise
        yield from jsonlines.decode(body, parameters, schema)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return ``{"predictions": [{"score": x}, ...]}``; several values per record are a list x."""
    return RESPONSE_START + jsonlines.format_scores(predictions, SEPARATOR) + RESPONSE_END


def encode_columns(columns: Columns) -> bytes:
    """Return ``{"predictions": [{"predicted_label": 1, ...}, ...]}``, with a key per column."""
    return RESPONSE_START + SEPARATOR.join(format_objects(columns)) + RESPONSE_END


def join(encoded: list[bytes]) -> list[bytes]:
    """Return the response in pieces, of which only the first has the opening, and so on."""
    last = len(encoded) - 1
    for index, piece in enumerate(encoded):
        content = piece[len(RESPONSE_START) if index else 0 : len(piece) - len(RESPONSE_END)]
        encoded[index] = content + (SEPARATOR if index < last else RESPONSE_END)
    return encoded


def _read_slices(body: bytes, schema: Schema) -> Iterator[tuple[ParsedRows, Names]]:
    """Yield the rows in slices, each with the names from the document."""
    row_count = 0
    rows = find_rows(body, schema)
    try:
        for values, names in _read_parts(rows, schema) if rows else ():
            yield values, names
            row_count += len(values)
    except MalformedPayload:
        if not is_small(body, schema):
            raise
        # A cut fell within a string or a row: parse the whole document below.
    else:
        if row_count:
            return
    if not is_small(body, schema):
        raise describe_large_document(body, schema)
    parsed, names = _unwrap(parse(body), schema)
    yield parsed[row_count:], names


def _read_parts(rows: RowsText, schema: Schema) -> Iterator[tuple[ParsedRows, Names]]:
    names = None if rows.names is None else _read_names(parse(rows.names))
    reordered = schema.reorder(names)
    start, first_row = rows.start, 1
    while start < rows.end:
        values, start = _read_part(rows, start, first_row, schema, reordered)
        yield values, names
        first_row += len(values)


def _read_part(
    rows: RowsText, start: int, first_row: int, schema: Schema, reordered: Schema | None
) -> tuple[ParsedRows, int]:
    """Return the rows of the part from an offset on, and the offset of the next part.

    ``reordered`` is the schema in the order of the values, if that is known.
    """
    failure, part = None, b""
    for end, next_start in rows.cut(start, schema):
        check_part(rows, start, end, first_row, schema)
        part = rows.body[start:end]
        matrix = parse_json_matrix(part, reordered) if reordered else None
        if matrix is not None:
            return matrix, next_start
        try:
            return parse(b"[" + part + b"]"), next_start
        except MalformedPayload as error:
            failure = error
    if failure is None:
        raise describe_long_part(rows, start, first_row, schema)
    if not is_small(rows.body, schema):
        check_rows_one_by_one(part, first_row)
    raise failure


def _unwrap(document: Any, schema: Schema) -> tuple[list[Any], Names]:
    """Return the rows of a document, and the names of their values."""
    if isinstance(document, list):
        has_rows = not document or isinstance(document[0], list | dict)
        rows = document if has_rows else [document]
        return rows, None
    if not isinstance(document, dict):
        hint = find_value_hint(document, schema.width)
        hint = hint or "a row is a list of values or an object with a value for each column"
        raise MalformedPayload(
            f'expected {{"{INSTANCES}": [row, ...]}}, a list of rows or a single row, got {SENT}; '
            f"{hint}",
            quoted(document),
        )
    if not isinstance(document.get(INSTANCES), list):
        document = drop_ignored_keys(document, schema)
        if find_features(document) is None:
            check_object(document, schema)
        return [document], None
    if isinstance(document, RepeatedNames) or not document.keys() <= {INSTANCES, FEATURE_NAMES}:
        keys = [key for key, _ in getattr(document, "pairs", document.items())]
        hint = describe_extra_keys(document, schema.names)
        raise MalformedPayload(
            f'expected only the keys "{INSTANCES}" and "{FEATURE_NAMES}", each once, got {SENT}'
            f"{hint}",
            listed(keys),
        )
    return document[INSTANCES], _read_names(document.get(FEATURE_NAMES))


def _read_names(names: Any) -> Names:
    if names is None:
        return None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise MalformedPayload(
        f'"{FEATURE_NAMES}": expected a list of strings, got {SENT}', quoted(names)
    )


def _is_json_lines(body: bytes, schema: Schema) -> bool:
    """Return whether invalid JSON may be JSON Lines: more than one line, and the first is a row."""
    start = len(body) - len(body.lstrip())
    end = body.find(b"\n", start, start + compute_max_row_bytes(schema.width))
    if end < 0 or not body[end:].strip():
        return False
    try:
        return isinstance(parse(body[start:end]), list | dict)
    except MalformedPayload:
        return False
