"""Read application/json and application/jsonlines strictly, with Python's own json module."""

import json
import math
from typing import Any

from tests.adversary.columns import Invalid, read_row
from tests.adversary.models import Model
from tests.adversary.readers.rows import Rows, decode_text, find_order

ROW_KEYS = {"data", "features", "configuration"}
TENSOR_KEYS = {"keys", "values", "shape"}
DOCUMENT_KEYS = {"instances", "feature_names"}


def read_json(body: bytes, parameters: dict[str, str], model: Model) -> Rows:
    """Return the records of a document, or of JSON Lines sent as one; raises Invalid."""
    try:
        document = _parse(decode_text(body))
    except Invalid:
        return read_json_lines(body, {}, model)
    rows, names = _unwrap(document)
    return _read_rows(rows, names, model)


def read_json_lines(body: bytes, parameters: dict[str, str], model: Model) -> Rows:
    """Return the records of lines; raises Invalid."""
    text = decode_text(body, keep_invalid="row_errors" in parameters)
    lines = text.split("\n")
    while lines and not lines[-1].strip(" \t\r\n"):
        lines.pop()
    if not lines:
        raise Invalid("no record")
    if "row_errors" in parameters:
        return [_read_line(line, model) for line in lines]
    return _read_rows([_parse(line) for line in lines], None, model)


def _read_line(line: str, model: Model) -> list[float] | None:
    try:
        return _read_row(_parse(line), None, model)
    except Invalid:
        return None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_reject_duplicates)
    except (ValueError, RecursionError) as error:
        raise Invalid(str(error)) from error


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise Invalid("duplicate keys")
    return members


def _unwrap(document: Any) -> tuple[list[Any], list[str] | None]:
    """Return the rows of a document, and the names of their values."""
    if isinstance(document, list):
        is_list_of_rows = not document or isinstance(document[0], list | dict)
        return (document if is_list_of_rows else [document]), None
    if not isinstance(document, dict):
        raise Invalid("neither an object nor a list")
    if not isinstance(document.get("instances"), list):
        return [document], None
    if not document.keys() <= DOCUMENT_KEYS:
        raise Invalid(f"keys: {list(document)}")
    return document["instances"], document.get("feature_names")


def _read_rows(rows: list[Any], names: list[str] | None, model: Model) -> Rows:
    if names is not None and not all(isinstance(name, str) for name in names):
        raise Invalid("feature_names")
    return [_read_row(row, names, model) for row in rows]


def _read_row(row: Any, names: list[str] | None, model: Model) -> list[float]:
    values = _unwrap_row(row, len(model.columns))
    if isinstance(values, dict):
        if names is not None:
            raise Invalid("an object and feature_names")
        names, values = list(values), list(values.values())
    if not isinstance(values, list) or len(values) != len(model.columns):
        raise Invalid("not a row of the model")
    if names is not None:
        order = find_order(names, model.names)
        values = [values[position] for position in order]
    return read_row(model.columns, values, textual=False)


def _unwrap_row(row: Any, width: int) -> Any:
    """Return the values of a row in one of the shapes in AWS's guide, and other rows unchanged."""
    if not isinstance(row, dict) or not row.keys() <= ROW_KEYS:
        return row
    members = {key: value for key, value in row.items() if key != "configuration"}
    if len(members) != 1 or row.get("configuration", {}) != {}:
        raise Invalid("keys beside the features")
    inner = members.get("data", members)
    if not isinstance(inner, dict) or list(inner) != ["features"]:
        raise Invalid("data")
    features = inner["features"]
    return _read_tensor(features, width) if isinstance(features, dict) else features


def _read_tensor(tensor: dict[str, Any], width: int) -> list[Any]:
    """Return the values of a dense or sparse tensor; absent keys are None."""
    keys, values, shape = (tensor.get(name) for name in ("keys", "values", "shape"))
    if not tensor.keys() <= TENSOR_KEYS or not isinstance(values, list):
        raise Invalid("tensor")
    if shape and math.prod(shape) != width:
        raise Invalid("shape")
    if keys is None:
        return values
    if len(keys) != len(values) or len(set(keys)) < len(keys):
        raise Invalid("keys")
    if not all(type(key) is int and 0 <= key < width for key in keys):
        raise Invalid("keys")
    row = [None] * width
    for key, value in zip(keys, values, strict=True):
        row[key] = value
    return row
