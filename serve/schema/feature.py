"""Feature: one input of the model, which converts the cells of its column to numbers.

label_feature.py contains the features whose cells are labels.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from serve.diagnosis.cells import find_number_hint
from serve.errors import SENT
from serve.records import Cell
from serve.text import is_number

Column = Sequence[float | None]

# The smallest number that float32 rounds to infinity: its maximum plus half a unit in the last
# place.
FLOAT32_OVERFLOW = float(2**128 - 2**103)
NUMBER_TEXT = re.compile(r"[0-9eE+\-. \t]*")
NAN_TEXT = re.compile(r"[+-]?nan", re.IGNORECASE)
BOOLEANS = {"true": 1.0, "false": 0.0}


class CellMismatch(ValueError):
    """A cell that does not fit its feature.

    ``reason`` is the message with SENT in place of the cell. ``hint``, which may be empty, is what
    the sender probably has to change.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True)
class Feature:
    """A numeric feature: XGBoost's types ``float``, ``int``, ``q``, and ``i`` (also booleans).

    ``missing_value`` is a number that means missing, as ``missing`` does in XGBoost's DMatrix:
    both are compared as float32, and categories by their codes. NaN is always missing.
    """

    type: str = "q"
    may_be_missing: bool = True
    missing_value: float = math.nan

    @property
    def _expected(self) -> str:
        return "a number, true or false" if self.type == "i" else "a number"

    def read_column(self, cells: Sequence[Cell], *, textual: bool) -> Column | None:
        """Return a number for each cell; a missing value is NaN or None.

        This is ten times as fast as ``read``. Return None if any cell requires ``read``. Some of
        the numbers may still be unverified (see ``find_unverified``).
        """
        return self._read_texts(cells) if textual else self._read_values(cells)

    def find_unverified(self, numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return a mask of the numbers in a column, float32 (n,), that ``read`` must confirm."""
        return np.isinf(numbers) if self.may_be_missing else ~np.isfinite(numbers)

    def read(self, cell: Cell, *, textual: bool) -> float:
        """Return the number in a cell, or NaN for a missing value; raises CellMismatch."""
        number = self._parse_text(str(cell)) if textual else self._parse_value(cell)
        if abs(number) >= FLOAT32_OVERFLOW:
            raise CellMismatch(f"expected a number within float32 range, got {SENT}")
        return self.read_missing(sent=True) if self.is_missing_value(number) else number

    def strict(self) -> "Feature":
        """Return this feature, but with unknown categories as errors."""
        return self

    def as_codes(self) -> "Feature":
        """Return this feature for numeric formats, which contain codes in place of categories."""
        return self

    def is_missing_value(self, number: float) -> bool:
        """Return whether a number is the column's ``missing_value``."""
        if abs(number) >= FLOAT32_OVERFLOW:
            return False
        return bool(np.float32(number) == np.float32(self.missing_value))

    def read_missing(self, *, sent: bool = False) -> float:
        """Return NaN for a missing cell; raises CellMismatch if the schema requires a value.

        If ``sent``, the cell contains the column's ``missing_value``.
        """
        if self.may_be_missing:
            return math.nan
        got = f"{SENT}, which means missing" if sent else "none"
        raise CellMismatch(f"expected a value, got {got}; this column must not have missing values")

    def _read_texts(self, cells: Sequence[Cell]) -> Column | None:
        texts: Sequence[str] = cells  # type: ignore[assignment]  # textual cells are strings
        if not NUMBER_TEXT.fullmatch("".join(texts)):
            return None
        try:
            return [float(text or "nan") for text in texts]
        except ValueError:
            return None

    def _read_values(self, cells: Sequence[Cell]) -> Column | None:
        values: Sequence[float | None] = cells  # type: ignore[assignment]  # checked below
        if not set(map(type, cells)) <= {int, float, type(None)}:
            return None
        try:
            return [value if value is None else float(value) for value in values]
        except OverflowError:
            return None

    def _parse_text(self, text: str) -> float:
        text = text.strip()
        if not text or NAN_TEXT.fullmatch(text):
            return self.read_missing()
        if self.type == "i" and text.lower() in BOOLEANS:
            return BOOLEANS[text.lower()]
        if is_number(text):
            return float(text)
        hint = find_number_hint(text, textual=True)
        raise CellMismatch(f"expected {self._expected}, got {SENT}", hint)

    def _parse_value(self, cell: Cell) -> float:
        if cell is None:
            return self.read_missing()
        if isinstance(cell, str):
            reason = f"expected {self._expected}, got the string {SENT}"
            raise CellMismatch(reason, find_number_hint(cell, textual=False))
        if isinstance(cell, bool) and self.type != "i":
            hint = find_number_hint(cell, textual=False)
            raise CellMismatch(f"expected {self._expected}, got {SENT}", hint)
        try:
            number = float(cell)
        except OverflowError:
            return math.inf
        except TypeError:
            raise CellMismatch(f"expected {self._expected}, got {SENT}") from None
        return self.read_missing() if math.isnan(number) else number


@dataclass(frozen=True)
class CodeFeature(Feature):
    """A categorical feature without labels, whose cells are the codes 0 to ``code_count`` - 1.

    If ``unknown_is_missing``, other whole numbers are missing values. A fraction is never a code.
    """

    type: str = "c"
    code_count: int = 0
    unknown_is_missing: bool = False

    def find_unverified(self, numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
        known = (numbers >= 0) & (numbers < self.code_count) & (numbers == np.floor(numbers))
        unverified: NDArray[np.bool_] = ~(known | np.isnan(numbers)) | super().find_unverified(
            numbers
        )
        return unverified

    def strict(self) -> Feature:
        return replace(self, unknown_is_missing=False)

    def read(self, cell: Cell, *, textual: bool) -> float:
        code = super().read(cell, textual=textual)
        if math.isnan(code) or (code.is_integer() and 0 <= code < self.code_count):
            return code
        if self.unknown_is_missing and code.is_integer():
            return math.nan
        raise CellMismatch(
            f"unknown category {SENT}: expected an integer code from 0 to {self.code_count - 1}"
        )
