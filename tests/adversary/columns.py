"""Column: a feature of a model, and the strict reading of one cell of it."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
NAN = re.compile(r"[+-]?nan", re.IGNORECASE)
# The smallest number that float32 rounds to infinity.
OVERFLOW = float(2**128 - 2**103)


class Invalid(ValueError):
    """A payload, or a part of it, that the documentation does not allow."""


@dataclass(frozen=True, slots=True)
class Column:
    """A feature: a ``number``, a ``boolean``, a ``label`` (one of ``labels``) or a ``code``.

    ``code_count`` is the number of categories, with or without labels. ``marker`` is the number
    that means missing, if there is one.
    """

    kind: str = "number"
    labels: tuple[str, ...] = ()
    code_count: int = 0
    required: bool = False
    unknown_is_missing: bool = False
    marker: float | None = None

    def read_text(self, text: str) -> float:
        """Return the number or code in a cell of CSV, or NaN; raises Invalid."""
        if self.kind == "label":
            return self._read_label_text(text)
        text = text.strip()
        if not text or NAN.fullmatch(text):
            return self.read_number(math.nan)
        if self.kind == "boolean" and text.lower() in ("true", "false"):
            return self.read_number(float(text.lower() == "true"))
        return self.read_number(parse_number(text))

    def read_json(self, value: Any) -> float:
        """Return the number or code in a JSON value, or NaN; raises Invalid."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return self.read_number(math.nan)
        if self.kind == "label":
            return self._read_json_label(value)
        if isinstance(value, bool) and self.kind == "boolean":
            return self.read_number(float(value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Invalid(value)
        return self.read_number(to_float(value))

    def read_number(self, number: float) -> float:
        """Return a number or code, or NaN if it means missing; raises Invalid."""
        if math.isnan(number) or self.is_marker(number):
            if self.required:
                raise Invalid("a value is required")
            return math.nan
        if abs(number) >= OVERFLOW:
            raise Invalid(number)
        if self.kind in ("label", "code"):
            return self._read_code(number)
        return number

    def is_marker(self, number: float) -> bool:
        """Return whether a number means missing; numbers are compared as float32."""
        if self.marker is None or abs(number) >= OVERFLOW:
            return False
        return bool(np.float32(number) == np.float32(self.marker))

    def _read_code(self, number: float) -> float:
        number = float(np.float32(number))
        if number.is_integer() and 0 <= number < self.code_count:
            return number
        return self._unknown(number)

    def _read_label_text(self, text: str) -> float:
        for candidate in (text, text.strip()):
            if candidate in self.labels:
                return self.read_number(float(self.labels.index(candidate)))
        text = text.strip()
        if not text or NAN.fullmatch(text):
            return self.read_number(math.nan)
        if NUMBER.fullmatch(text) and self.is_marker(float(text)):
            return self.read_number(math.nan)
        return self._unknown(text)

    def _read_json_label(self, value: Any) -> float:
        if isinstance(value, int | float):
            text = json.dumps(value)
            if text not in self.labels:
                if not isinstance(value, bool) and self.is_marker(to_float(value)):
                    return self.read_number(math.nan)
                raise Invalid(value)
            value = text
        if not isinstance(value, str):
            raise Invalid(value)
        if value not in self.labels:
            return self._unknown(value)
        return self.read_number(float(self.labels.index(value)))

    def _unknown(self, value: object) -> float:
        if not self.unknown_is_missing:
            raise Invalid(value)
        return math.nan


def read_row(columns: Sequence[Column], cells: Sequence[Any], *, textual: bool) -> list[float]:
    """Return the numbers of a row, one for each column; raises Invalid."""
    if len(cells) != len(columns):
        raise Invalid(f"{len(cells)} cells for {len(columns)} columns")
    pairs = zip(columns, cells, strict=True)
    if textual:
        return [column.read_text(cell) for column, cell in pairs]
    return [column.read_json(cell) for column, cell in pairs]


def parse_number(text: str) -> float:
    """Return a decimal number in ASCII as a float; raises Invalid."""
    if not NUMBER.fullmatch(text):
        raise Invalid(text)
    return float(text)


def to_float(number: float) -> float:
    """Return a number as a float; an integer beyond float64 is infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf
