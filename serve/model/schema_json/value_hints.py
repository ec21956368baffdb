"""Hints about a value of schema.json that is invalid for its key: what to write instead."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from serve.text import listed, quoted

# XGBoost's feature types by the names that other libraries have for them.
TYPE_NAMES = {
    "c": ("cat", "category", "categorical", "categories", "string", "str", "object", "enum"),
    "i": ("bool", "boolean", "indicator"),
    "int": ("integer", "int8", "int16", "int32", "int64", "uint8", "long"),
    "float": ("number", "numeric", "numerical", "float32", "float64", "double", "real", "decimal"),
    "q": ("quantitative",),
}
TYPES = {name: type_ for type_, names in TYPE_NAMES.items() for name in (*names, type_)}
ONE_OR_ZERO = {1: "true", 0: "false"}


def find_value_hint(value: Any, is_valid: Callable[[Any], bool]) -> str:
    """Return what to write instead of a value that the check ``is_valid`` rejects, or ""."""
    if isinstance(value, str):
        return _find_string_hint(value, is_valid)
    if isinstance(value, list):
        return _find_list_hint(value, is_valid)
    if _is_whole(value) and is_valid(int(value)):
        return f"write {int(value)}"
    if _is_number(value) and is_valid(str(value)):
        return f'write it in quotes: "{value}"'
    if value in (0, 1) and is_valid(bool(value)):
        return f"write {ONE_OR_ZERO[value]}"
    return ""


def find_features_hint(value: Any) -> str:
    """Return how to write the features instead of a value that is not a list of objects."""
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return f'write each name as an object: {{"name": {quoted(value[0])}}}'
    if isinstance(value, dict) and value:
        return f'write [{{"name": {quoted(next(iter(value)))}}}, …], in the order of training'
    return 'write [{"name": "age"}, …], in the order of training'


def find_type_hint(value: Any) -> str:
    """Return the feature type that a name of another library means, as a question, or ""."""
    type_ = TYPES.get(value.strip().lower()) if isinstance(value, str) else None
    return f"did you mean {quoted(type_)}?" if type_ else ""


def _find_string_hint(text: str, is_valid: Callable[[Any], bool]) -> str:
    text = text.strip().lower()
    if text == "nan" and is_valid(None):
        return "NaN is always a missing value: remove the key"
    try:
        return "remove the quotes" if is_valid(json.loads(text)) else ""
    except ValueError:
        return ""


def _find_list_hint(values: list[Any], is_valid: Callable[[Any], bool]) -> str:
    if len(values) == 1 and is_valid(values[0]):
        return "remove the brackets"
    if all(map(_is_whole, values)) and is_valid(list(map(int, values))):
        return "write whole numbers without a decimal point"
    if all(map(_is_number, values)) and is_valid(list(map(str, values))):
        return f'write each in quotes, such as "{values[0]}"'
    if any(isinstance(value, list | dict) for value in values):
        return ""
    # In Python, 1 and True are equal.
    counts = Counter((type(value), value) for value in values)
    repeated = [value for (_, value), count in counts.items() if count > 1]
    return f"remove the duplicates of {listed(repeated)}" if repeated else ""


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)
