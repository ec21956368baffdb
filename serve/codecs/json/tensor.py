"""JSON tensor: the values of a row in the shape that AWS documents for its algorithms.

A row is ``{"features": F}`` or ``{"data": {"features": F}}``. F is a list of values, a dense tensor
``{"values": [...]}`` or a sparse one ``{"keys": [...], "values": [...], "shape": [n]}``.

Source: contract 3.17; "Common data formats for inference" in the SageMaker guide.
"""

import math
from typing import Any

from serve.codecs.json.parser import RepeatedNames
from serve.diagnosis.json_shapes import (
    CONFIGURATION,
    DATA,
    FEATURES,
    KEYS,
    SHAPE,
    TENSOR_KEYS,
    VALUES,
)
from serve.errors import SENT, SchemaMismatch
from serve.text import counted, listed, quoted


def find_features(row: dict[str, Any]) -> Any:
    """Return F, a list or an object, or None if the row does not have this shape."""
    if len(row) == 1 and isinstance(features := row.get(FEATURES), list):
        return features
    if len(row) > 2 or not _is_alone(row, row.get(CONFIGURATION) == {}):  # noqa: PLR2004
        return None
    members = row
    if isinstance(data := row.get(DATA), dict):
        members = data if _is_alone(data) else {}
    features = members.get(FEATURES)
    is_tensor = isinstance(features, dict) and not TENSOR_KEYS.isdisjoint(features)
    return features if is_tensor or isinstance(features, list) else None


def read_tensor(tensor: dict[str, Any], row: int, width: int) -> list[Any]:
    """Return the values of a tensor; a sparse one has ``width`` of them, None for absent keys.

    Raises SchemaMismatch with the row.
    """
    _check_members(tensor, row)
    _check_shape(tensor.get(SHAPE), row, width)
    values: list[Any] = tensor[VALUES]
    if KEYS not in tensor:
        return values
    keys = tensor[KEYS]
    _check_keys(keys, row, width)
    if len(keys) != len(values):
        raise SchemaMismatch(
            f"row {row}: expected as many keys as values, "
            f"got {counted(len(keys), 'key')} and {counted(len(values), 'value')}"
        )
    cells = [None] * width
    for key, value in zip(keys, values, strict=True):
        cells[key] = value
    return cells


def _is_alone(members: dict[str, Any], others: int = 0) -> bool:
    """Return whether an object has a single name besides ``others``, and no name twice."""
    return len(members) == 1 + others and not isinstance(members, RepeatedNames)


def _check_members(tensor: dict[str, Any], row: int) -> None:
    names = list(tensor)
    if isinstance(tensor, RepeatedNames):
        names = [name for name, _ in tensor.pairs]
    if len(names) > len(tensor) or VALUES not in names or not TENSOR_KEYS.issuperset(names):
        raise SchemaMismatch(
            f'row {row}: expected "{VALUES}", and for a sparse record "{KEYS}" and "{SHAPE}", '
            f'got {SENT} in "{FEATURES}"',
            listed(names) or "nothing",
        )
    for name, member in tensor.items():
        if not isinstance(member, list):
            raise SchemaMismatch(
                f'row {row}, "{name}": expected a list, got {SENT}', quoted(member)
            )


def _check_shape(shape: list[Any] | None, row: int, width: int) -> None:
    """Raise SchemaMismatch unless the shape is absent, empty, or of ``width`` values."""
    if not shape:
        return
    if not all(map(_is_index, shape)) or math.prod(shape) != width:
        raise SchemaMismatch(
            f'row {row}, "{SHAPE}": expected {counted(width, "value")}, got {SENT}', quoted(shape)
        )


def _check_keys(keys: list[Any], row: int, width: int) -> None:
    for key in keys:
        if not _is_index(key) or key >= width:
            raise SchemaMismatch(
                f'row {row}, "{KEYS}": expected integers from 0 to {width - 1}, got {SENT}',
                quoted(key),
            )
    if len(set(keys)) != len(keys):
        raise SchemaMismatch(f'row {row}, "{KEYS}": duplicate key')


def _is_index(value: Any) -> bool:
    return type(value) is int and value >= 0
