"""Parse and check the text that a person typed for a feature."""

import math
import re

from local_test.app.number_format import format_input
from local_test.app.schema import INDICATOR_TYPE, Feature

Value = float | int | bool | str | None
NUMBER = re.compile(r"[+\-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+\-]?[0-9]+)?")
WHOLE_NUMBER = re.compile(r"[+\-]?[0-9]+")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
MAX_CHARACTERS = 40


class BadValue(Exception):
    """The text is not a value of the feature; the message says what to enter."""


def parse_value(feature: Feature, text: str) -> Value:
    """Return the value of a control's text, or None if it is empty; raises BadValue."""
    if not text:
        _check_optional(feature)
        return None
    if feature.options:
        return _parse_option(feature, text)
    return _parse_number(feature, text)


def check_range(feature: Feature, value: Value) -> str:
    """Return a warning if a number is outside the range in training, else an empty string."""
    if feature.range is None or value is None or isinstance(value, (bool, str)):
        return ""
    low, high = feature.range
    if low <= value <= high:
        return ""
    return (
        f"{format_input(value)} is outside the range of the training data "
        f"({format_range(feature.range)}), so the prediction is less reliable"
    )


def format_range(limits: tuple[float, float]) -> str:
    """Return a range as a person reads it, such as "0.2 to 5.01"."""
    low, high = limits
    return f"{format_input(low)} to {format_input(high)}"


def _check_optional(feature: Feature) -> None:
    """Accept an empty field if the feature may be missing; raises BadValue otherwise."""
    if not feature.missing:
        raise BadValue("choose a value" if feature.options else f"enter {_describe(feature)}")


def _parse_option(feature: Feature, text: str) -> bool | str:
    if text not in map(str, range(len(feature.options))):
        raise BadValue("choose a value from the list")
    if feature.type == INDICATOR_TYPE:
        return int(text) == 1
    return feature.options[int(text)]


def _parse_number(feature: Feature, text: str) -> float | int:
    if len(text) > MAX_CHARACTERS:
        raise BadValue(f"enter {_describe(feature)} of at most {MAX_CHARACTERS} characters")
    pattern = WHOLE_NUMBER if feature.is_whole else NUMBER
    if not pattern.fullmatch(text):
        raise BadValue(f"enter {_describe(feature)}{_suggest(feature, text)}")
    if not math.isfinite(float(text)):
        raise BadValue("enter a smaller number")
    return int(text) if feature.is_whole else float(text)


def _describe(feature: Feature) -> str:
    return "a whole number" if feature.is_whole else "a number"


def _suggest(feature: Feature, text: str) -> str:
    """Return what to type instead of an invalid number, to follow "enter a number"."""
    if DECIMAL_COMMA.fullmatch(text):
        return f" with a decimal point, not a comma: {text.replace(',', '.')}"
    if feature.range:
        return f", such as {format_input(feature.range[0])}"
    return ""
