"""Documents: find out what a JSON object with the wrong shape is, for its message.

A message names the shape that came and the one thing to change.
"""

from serve.diagnosis.json_shapes import (
    EXPECTED,
    FEATURE_NAMES,
    FEATURES,
    INSTANCES,
    Mismatch,
    Names,
    Object,
    describe_known_shape,
    has_model_names,
    list_keys,
    name_pandas_call,
)
from serve.diagnosis.json_values import contains_json, find_value_hint
from serve.diagnosis.names import BASE_MARGIN, BASE_MARGIN_HINT
from serve.errors import SENT
from serve.text import quoted

# Keys with which other libraries send the names of the columns.
NAME_KEYS = {"columns", "names", "column_names", "featureNames", "features"}


def describe_object(value: Object, names: Names, width: int) -> Mismatch | None:
    """Return the message for an object that is neither a row nor a document of this server.

    ``names`` are the model's. If a key is one of these and any value is neither a list nor an
    object, the object is a row. None means that the object may be a row, whose names the schema
    checks.
    """
    kinds = {type(member) for member in value.values()}
    if names and has_model_names(value, names):
        if not kinds <= {list, dict}:
            return None
        if len(kinds) == 1 and {key.strip() for key in value} == {key.strip() for key in names}:
            return _describe_columns("list" if kinds == {list} else "object")
    return describe_known_shape(value, names, width) or _describe_wrapper(value, names, width)


def describe_extra_keys(document: Object, names: Names) -> str:
    """Return what to do with the keys beside "instances", or an empty string."""
    extra = [key for key in document if key not in (INSTANCES, FEATURE_NAMES)]
    if BASE_MARGIN in extra:
        return f"; {BASE_MARGIN_HINT}"
    if len(extra) == 1 and names and extra[0] in NAME_KEYS:
        return f'; rename "{extra[0]}" to "{FEATURE_NAMES}"'
    return "; remove all other keys" if extra else ""


def _describe_columns(kind: str) -> Mismatch:
    fix = 'with pandas, use to_json(orient="records")'
    return f"expected one object per record, got one {kind} per column; {fix}", ""


def _describe_wrapper(value: Object, names: Names, width: int) -> Mismatch | None:
    """Describe an object with a key whose value contains the rows, or with a key per row."""
    for key in value:
        if key.strip().lower() in (INSTANCES, "instance"):
            return f'expected the key "{INSTANCES}", got {SENT}', quoted(key)
    wrappers = [key for key, member in value.items() if isinstance(member, list | dict)]
    if len(wrappers) == 1:
        return _describe_wrapper_key(wrappers[0], value, names, width)
    if wrappers and len(wrappers) == len(value):
        return _describe_columns_or_rows(value, names)
    return _describe_text(value, width)


def _describe_columns_or_rows(value: Object, names: Names) -> Mismatch | None:
    kinds = {type(member) for member in value.values()}
    if kinds == {dict}:
        return f"{EXPECTED}, got the JSON of to_json(); use {name_pandas_call(names)}", ""
    if kinds == {list} and not names:
        return f"{EXPECTED}, got one list per column; send one list per row", ""
    return None


def _describe_wrapper_key(key: str, value: Object, names: Names, width: int) -> Mismatch | None:
    member, alone = value[key], len(value) == 1
    if isinstance(member, dict):
        return _describe_wrapped_object(key, member, names, width) if alone else None
    fix = "" if alone else "; remove all other keys"
    if not member or isinstance(member[0], list | dict):
        return f'expected the rows in "{INSTANCES}", got them in {SENT}{fix}', quoted(key)
    if not alone:
        return None
    return f'expected the values of a row in "{FEATURES}", got them in {SENT}', quoted(key)


def _describe_wrapped_object(key: str, member: Object, names: Names, width: int) -> Mismatch:
    if INSTANCES in member or FEATURES in member:
        return f"{EXPECTED}, got an object in {SENT}; send only that object", quoted(key)
    if mismatch := describe_object(member, names, width):
        return mismatch
    if has_model_names(member, names):
        return f"{EXPECTED}, got an object in {SENT}; send only that object", quoted(key)
    fix = "" if names else "; send each row as a list of values"
    return f"{EXPECTED}, got only {SENT}{fix}", list_keys({key: member})


def _describe_text(value: Object, width: int) -> Mismatch | None:
    for key, member in value.items():
        if isinstance(member, str) and contains_json(member):
            return f"{EXPECTED}, got JSON in the string {SENT}; send only that JSON", quoted(key)
    member = next(iter(value.values()), None)
    if len(value) == 1 and isinstance(member, str) and (hint := find_value_hint(member, width)):
        return f"{EXPECTED}, got only {SENT}; {hint}", list_keys(value)
    return None
