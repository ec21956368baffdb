"""JSON shapes: recognize the documents of other services, and those next to this server's own."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from serve.diagnosis.json_values import find_value_hint
from serve.diagnosis.names import BASE_MARGIN, BASE_MARGIN_HINT
from serve.errors import SENT
from serve.text import listed, quoted, with_hint

# Keys of the documents that this server reads.
INSTANCES, FEATURE_NAMES = "instances", "feature_names"
DATA, FEATURES, CONFIGURATION = "data", "features", "configuration"
VALUES, KEYS, SHAPE = "values", "keys", "shape"
TENSOR_KEYS = {VALUES, KEYS, SHAPE}
EXPECTED = f'expected {{"{INSTANCES}": [row, ...]}}'

# A message with SENT in place of what it quotes, and that quotation.
Mismatch = tuple[str, str]
Names = Collection[str] | None
Object = Mapping[str, Any]


def describe_known_shape(value: Object, names: Names, width: int) -> Mismatch | None:
    """Return the message for an object of a known shape, with what to change."""
    for key, describe in KNOWN_SHAPES.items():
        if key in value and (mismatch := describe(value, names, width)):
            return mismatch
    return None


def name_pandas_call(names: Names) -> str:
    """Return the call that writes a DataFrame in a shape that a model with these names reads."""
    return f'to_json(orient="{"records" if names else "values"}")'


def has_model_names(value: Object, names: Names) -> bool:
    """Return whether any key is one of the model's column names."""
    if names is None:
        return False
    known_names = set(names)
    return any(key in known_names or key.strip() in known_names for key in value)


def list_keys(value: Object) -> str:
    """Return the keys of an object, quoted."""
    return f"the {'key' if len(value) == 1 else 'keys'} {listed(value)}"


def _describe_instances(value: Object, _names: Names, width: int) -> Mismatch:
    instances = value[INSTANCES]
    if isinstance(instances, list):
        reason = f'expected one record, got a document with "{INSTANCES}"'
        return f"{reason}; send one document per request, as application/json", ""
    hint = find_value_hint(instances, width)
    if isinstance(instances, dict):
        hint = "put the object in brackets"
    reason = f'"{INSTANCES}": expected a list of rows, got {SENT}'
    return with_hint(reason, hint), quoted(instances)


def _describe_inputs(value: Object, _names: Names, _width: int) -> Mismatch | None:
    inputs = value["inputs"]
    if not (isinstance(inputs, list) and inputs and isinstance(inputs[0], dict)):
        return None
    if "datatype" not in inputs[0]:
        return None
    fix = f'send the "{DATA}" of each row as a list in "{INSTANCES}"'
    return f"{EXPECTED}, got the JSON of KServe V2; {fix}", ""


def _describe_split(value: Object, names: Names, _width: int) -> Mismatch | None:
    if DATA not in value:
        return None
    fix = f'rename "{DATA}" to "{INSTANCES}"'
    fix += f' and "columns" to "{FEATURE_NAMES}"' if names else ' and remove "columns"'
    if "index" in value:
        fix += ', and remove "index"' if names else ' and "index"'
    return f'{EXPECTED}, got the JSON of to_json(orient="split"); {fix}', ""


def _describe_dataframe_split(_value: Object, names: Names, _width: int) -> Mismatch:
    fix = f'send its "{DATA}" as "{INSTANCES}"'
    if names:
        fix += f' and its "columns" as "{FEATURE_NAMES}"'
    return f'{EXPECTED}, got MLflow\'s "dataframe_split"; {fix}', ""


def _describe_table(value: Object, names: Names, _width: int) -> Mismatch | None:
    if DATA not in value:
        return None
    reason = f'{EXPECTED}, got the JSON of to_json(orient="table")'
    return f"{reason}; use {name_pandas_call(names)}", ""


def _describe_body(value: Object, _names: Names, _width: int) -> Mismatch | None:
    if not isinstance(value["body"], str):
        return None
    return f'{EXPECTED}, got the event of an API Gateway; send only its "body"', ""


def _describe_features(value: Object, names: Names, width: int) -> Mismatch | None:
    features = value[FEATURES]
    if len(value) > 1:
        return _describe_other_keys(FEATURES, value)
    hint = find_value_hint(features, width)
    if isinstance(features, dict) and has_model_names(features, names):
        hint = "send only that object"
    reason = f'"{FEATURES}": expected a list of values or {{"{VALUES}": [...]}}, got {SENT}'
    return with_hint(reason, hint), quoted(features)


def _describe_data(value: Object, names: Names, width: int) -> Mismatch | None:
    data = value[DATA]
    if not isinstance(data, dict):
        return None
    if "ndarray" in data or "tensor" in data:
        return f'{EXPECTED}, got the JSON of Seldon; send its rows as "{INSTANCES}"', ""
    if FEATURES in data:
        mismatch = _describe_other_keys(DATA, value) if len(value) > 1 else None
        return mismatch or _describe_features(data, names, width)
    if has_model_names(data, names):
        return f'"{DATA}": expected the key "{FEATURES}", got an object; send only that object', ""
    expected = f'{{"{DATA}": {{"{FEATURES}": {{"{VALUES}": [...]}}}}}}'
    return f'expected {expected}, got {SENT} in "{DATA}"', list_keys(data)


def _describe_other_keys(key: str, value: Object) -> Mismatch | None:
    """Return the message for other keys beside "data" or "features"."""
    others = [other for other in value if other != key]
    if not isinstance(value[key], list | dict):
        return None
    if others == [CONFIGURATION] and value[CONFIGURATION]:
        reason = f'"{CONFIGURATION}": expected an empty object, got {SENT}'
        return reason, quoted(value[CONFIGURATION])
    fix = BASE_MARGIN_HINT if BASE_MARGIN in others else "remove it"
    return f'expected no other key beside "{key}", got {SENT}; {fix}', listed(others)


def _describe_tensor(value: Object, _names: Names, _width: int) -> Mismatch | None:
    if not value.keys() <= TENSOR_KEYS or not isinstance(value[VALUES], list):
        return None
    expected = f'expected {{"{FEATURES}": {{"{VALUES}": [...]}}}}'
    return f'{expected}, got {SENT}; put the object in "{FEATURES}"', list_keys(value)


def _describe_predictions(value: Object, _names: Names, _width: int) -> Mismatch | None:
    if not isinstance(value["predictions"], list):
        return None
    return f'{EXPECTED}, got "predictions", which is a response', ""


def _describe_base64(_value: Object, _names: Names, _width: int) -> Mismatch:
    return 'expected a row of values, got base64 in "b64"; send the values', ""


# Each shape has a key by which to recognize it. The first shape that matches is described.
KNOWN_SHAPES: dict[str, Callable[[Object, Names, int], Mismatch | None]] = {
    INSTANCES: _describe_instances,
    "dataframe_split": _describe_dataframe_split,
    "inputs": _describe_inputs,
    "columns": _describe_split,
    "schema": _describe_table,
    "body": _describe_body,
    DATA: _describe_data,
    FEATURES: _describe_features,
    VALUES: _describe_tensor,
    "predictions": _describe_predictions,
    "b64": _describe_base64,
}
