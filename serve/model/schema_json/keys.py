"""The keys of schema.json: which exist at which level, and what their values must be.

docs/artifact.md documents them.
"""

import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from serve.model.schema_json.value_hints import find_features_hint, find_type_hint, find_value_hint
from serve.text import listed, quoted, with_hint

FEATURES, PREDICTION, CLASSES, THRESHOLD = "features", "prediction", "classes", "threshold"
LIBSVM_BASE, MISSING_VALUE, IGNORE = "libsvm_base", "missing_value", "ignore"
FEATURE_TYPES = ("float", "int", "q", "i", "c")
# XGBoost's own limit: float32 represents every whole number up to this one.
MAX_CODES = 1 << 24
# Keys that people expect, with the reason why the server does not have them.
UNSUPPORTED = {"base_margin": "not supported: add the offset to the margin in the response"}


class Key(NamedTuple):
    """The requirement on the value of a key, in words and as a check.

    ``find_hint`` returns what to write instead of an invalid value, or an empty string. The default
    depends on the check.
    """

    expected: str
    is_valid: Callable[[Any], bool]
    find_hint: Callable[[Any], str] | None = None

    def describe(self, value: Any) -> str:
        """Return the message for an invalid value."""
        hint = self.find_hint(value) if self.find_hint else find_value_hint(value, self.is_valid)
        return with_hint(f"expected {self.expected}, got {quoted(value)}", hint)


def check_keys(value: Mapping[str, Any], keys: Mapping[str, Key], where: str) -> None:
    """Raise ValueError for a key that is unknown or whose value is invalid.

    ``where`` is the start of the message.
    """
    for key in value:
        if key not in keys:
            raise ValueError(f"{where}{_describe_unknown_key(key, keys)}")
        if not keys[key].is_valid(value[key]):
            raise ValueError(f'{where}"{key}": {keys[key].describe(value[key])}')


def _describe_unknown_key(key: str, keys: Mapping[str, Key]) -> str:
    name = _normalize(key)
    if name in UNSUPPORTED:
        return f"{quoted(key)} is {UNSUPPORTED[name]}"
    if similar := get_close_matches(name, keys, 1):
        return f'unknown key {quoted(key)}: did you mean "{similar[0]}"?'
    for level, level_keys in LEVELS.items():
        if similar := get_close_matches(name, level_keys, 1):
            return f'unknown key {quoted(key)}: did you mean "{similar[0]}" {level}?'
    return f"unknown key {quoted(key)}: expected {listed(keys)}"


def _normalize(key: str) -> str:
    """Return a key in the spelling of schema.json: missingValue and Missing-Value too."""
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in key)
    if key.isupper():
        words = key
    return "_".join(words.lower().replace("-", " ").replace("_", " ").split())


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    """Return whether a value is a number that float32 can represent."""
    if type(value) not in (int, float):
        return False
    try:
        with np.errstate(over="ignore"):
            return math.isfinite(np.float32(value))
    except OverflowError:
        return False


def _is_range(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004
        return False
    return all(map(_is_number, value)) and value[0] <= value[1]


def _is_class_list(value: Any) -> bool:
    """Return whether a value is a list of names, each of which is one line of valid text."""
    if not _is_unique_list(value, str, int):
        return False
    texts = [str(name) for name in value]
    return len(set(texts)) == len(texts) and all(map(_is_line, texts))


def _is_line(text: str) -> bool:
    """Return whether a text can be a cell of a line; JSON may contain half of a character."""
    is_valid = not any("\ud800" <= character <= "\udfff" for character in text)
    return is_valid and not any(character in "\r\n\0" for character in text)


def _is_probability(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _is_unique_list(value: Any, *types: type) -> bool:
    if not isinstance(value, list) or any(type(item) not in types for item in value):
        return False
    return len(set(value)) == len(value)


TEXT = Key("a string", _is_text)
NUMBER_OR_NULL = Key(
    "a number within float32 range, or null", lambda value: value is None or _is_number(value)
)
FILE_KEYS = {
    FEATURES: Key(
        "a list of objects",
        lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
        find_features_hint,
    ),
    PREDICTION: Key("an object", lambda value: isinstance(value, dict)),
    LIBSVM_BASE: Key("0 or 1", lambda value: type(value) is int and value in (0, 1)),
    MISSING_VALUE: NUMBER_OR_NULL,
    IGNORE: Key("a list of unique column names", lambda value: _is_unique_list(value, str)),
}
PREDICTION_KEYS = {
    "name": TEXT,
    "unit": TEXT,
    "description": TEXT,
    CLASSES: Key("a list of unique strings without line breaks, or whole numbers", _is_class_list),
    THRESHOLD: Key("a number from 0 to 1", _is_probability),
}
FEATURE_KEYS = {
    "name": TEXT,
    "type": Key(
        f"one of {listed(FEATURE_TYPES)}", lambda value: value in FEATURE_TYPES, find_type_hint
    ),
    "categories": Key(
        "a list of unique strings, in the order of their codes",
        lambda value: _is_unique_list(value, str),
    ),
    "codes": Key(
        f"the number of codes, from 1 to {MAX_CODES:,}",
        lambda value: type(value) is int and 0 < value <= MAX_CODES,
    ),
    "missing": Key("true or false", lambda value: isinstance(value, bool)),
    MISSING_VALUE: NUMBER_OR_NULL,
    # For people and applications; the server ignores these.
    "description": TEXT,
    "unit": TEXT,
    "range": Key("a list of two numbers, [minimum, maximum]", _is_range),
}
LEVELS = {
    "in a feature": FEATURE_KEYS,
    f'in "{PREDICTION}"': PREDICTION_KEYS,
    "at the top level": FILE_KEYS,
}
