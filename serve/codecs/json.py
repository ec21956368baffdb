"""application/json: all records in one document.

Source: contract 3.17 and 10.9 for the shapes, 5.8 for lines of JSON that are called application/json.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.codecs import jsonlines
from serve.codecs.cells import objects_of
from serve.codecs.fast_matrix import matrix_of_lists
from serve.codecs.json_rows import NAMES_PLACE, RepeatedNames, parse, records_of
from serve.codecs.lines import BYTE_ORDER_MARK, SLICE_BYTES
from serve.columns import Columns
from serve.errors import SENT, MalformedPayload
from serve.records import Records
from serve.schema.schema import Schema
from serve.text import listed, quoted

CONCATENATES = False

Rows = list[Any] | NDArray[np.float32]

INSTANCES, FEATURE_NAMES = "instances", "feature_names"
SHAPES = (
    f'expected {{"{INSTANCES}": [row, ...]}}, a list of rows or one row, '
    "each a list of values or an object with a value for each name"
)

OPENING = re.compile(
    rb'\s*(?:\{\s*(?:"feature_names"\s*:\s*(\[[^][{}]*\])\s*,\s*)?"instances"\s*:\s*)?\[\s*(?=[\[{])'
)
CLOSING = re.compile(rb"\]\s*\}?\s*\Z")
CLOSING_BYTES = 64
BETWEEN_ROWS = re.compile(rb"(?<=[\]}])\s*,(?=\s*[\[{])")


def decode(payload: bytes, parameters: Mapping[str, str], schema: Schema) -> Iterator[Records]:
    """Yield the rows of the document as records; raises MalformedPayload and SchemaMismatch."""
    body = payload.removeprefix(BYTE_ORDER_MARK)
    first_row = 1
    try:
        for rows, names in _slices_of_rows(body, schema):
            if isinstance(rows, np.ndarray):
                yield Records(
                    rows, textual=False, first_row=first_row, names=names, names_place=NAMES_PLACE
                )
            else:
                yield from records_of(rows, first_row, names)
            first_row += len(rows)
    except MalformedPayload:
        if first_row > 1 or not _is_lines(body):
            raise
        yield from jsonlines.decode(body, parameters, schema)


def encode(predictions: NDArray[np.float32]) -> bytes:
    """Return ``{"predictions": [{"score": x}, ...]}``, a list of values for x where a record has several."""
    return b'{"predictions": [' + jsonlines.scores(predictions, b", ") + b"]}\n"


def encode_columns(columns: Columns) -> bytes:
    """Return ``{"predictions": [{"predicted_label": 1, ...}, ...]}``, a key for each column."""
    return b'{"predictions": [' + b", ".join(objects_of(columns)) + b"]}\n"


def _slices_of_rows(body: bytes, schema: Schema) -> Iterator[tuple[Rows, tuple[str, ...] | None]]:
    """Yield the rows in slices, and the names that the document gives to their values."""
    rows_before = 0
    try:
        for part, names in _parts(body):
            arranged = schema.arranged(names)
            matrix = matrix_of_lists(part, arranged) if arranged else None
            rows = parse(b"[" + part + b"]") if matrix is None else matrix
            yield rows, names
            rows_before += len(rows)
    except MalformedPayload:
        pass  # a cut inside a string or a row: what came before it was whole
    else:
        if rows_before:
            return
    rows, names = _unwrapped(parse(body))
    yield rows[rows_before:], names


def _parts(body: bytes) -> Iterator[tuple[bytes, tuple[str, ...] | None]]:
    """Yield what is between the brackets of a list of rows, a long one in parts, each whole unless a cut hit a string or a row.

    Parsing one of them is short enough for other threads to wait for. Documents that may hold more than rows are not cut.
    """
    opening, closing = OPENING.match(body), CLOSING.search(body, max(0, len(body) - CLOSING_BYTES))
    if not opening or not closing or b"\\" in body:
        return
    if body.count(FEATURE_NAMES.encode()) != (opening[1] is not None):
        return
    if (b"{" in opening[0]) != (b"}" in closing[0]):
        return
    names = _names(parse(opening[1] or b"null"))
    start, end = opening.end(), closing.start()
    while end - start > SLICE_BYTES and (
        cut := BETWEEN_ROWS.search(body, start + SLICE_BYTES, end)
    ):
        yield body[start : cut.start()], names
        start = cut.end()
    yield body[start:end], names


def _unwrapped(document: Any) -> tuple[list[Any], tuple[str, ...] | None]:
    """Return the rows of a document, and the names it gives to their values."""
    if isinstance(document, list):
        return document if not document or isinstance(document[0], list | dict) else [
            document
        ], None
    if not isinstance(document, dict):
        raise MalformedPayload(f"{SHAPES}; got {SENT}", quoted(document))
    if not isinstance(document.get(INSTANCES), list):
        return [document], None
    if isinstance(document, RepeatedNames) or not document.keys() <= {INSTANCES, FEATURE_NAMES}:
        raise MalformedPayload(
            f'beside "{INSTANCES}" only "{FEATURE_NAMES}" may stand, each once; got {SENT}',
            listed(document),
        )
    return document[INSTANCES], _names(document.get(FEATURE_NAMES))


def _names(names: Any) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise MalformedPayload(
        f'"{FEATURE_NAMES}": expected a list of names, got {SENT}', quoted(names)
    )


def _is_lines(body: bytes) -> bool:
    """Tell whether a body that is no JSON document may be lines of JSON: the first of several lines is whole by itself."""
    first, _, rest = body.strip().partition(b"\n")
    try:
        return bool(rest) and isinstance(parse(first), list | dict)
    except MalformedPayload:
        return False
