"""Feature: one input of the model, which reads the cells of its column as numbers."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from serve.errors import SENT
from serve.records import Cell
from serve.text import is_number, listed, quoted

Column = Sequence[float | None]

# The least number that a float32 rounds to infinity: its largest number and half a unit in the last place.
BEYOND_FLOAT32 = float(2**128 - 2**103)
NUMBER_TEXT = re.compile(r"[0-9eE+\-. \t]*")
NAN_TEXT = re.compile(r"[+-]?nan", re.IGNORECASE)
# What other programs write for a missing value, and here may as well be a mistake.
MISSING_ELSEWHERE = {"na", "n/a", "<na>", "null", "none", "?", "-"}
BOOLEANS = {"true": 1.0, "false": 0.0}


class CellMismatch(ValueError):
    """A cell that a feature cannot take; ``reason`` says what was expected, with SENT where the cell is quoted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Feature:
    """A feature that takes numbers: XGBoost's types ``float``, ``int``, ``q``, and ``i``, which takes true and false too."""

    type: str = "q"
    may_be_missing: bool = True

    @property
    def _expected(self) -> str:
        return "a number, true or false" if self.type == "i" else "a number"

    def plain(self, cells: Sequence[Cell], *, textual: bool) -> Column | None:
        """Return a number for each cell, NaN or None where it is missing, at a tenth of what ``value`` costs.

        Return None where some cell needs the closer look of ``value``. Some of the numbers may still be ``doubtful``.
        """
        return self._plain_text(cells) if textual else self._plain_values(cells)

    def doubtful(self, numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which numbers of a column, float32 (n,), count only once ``value`` has read their cells too."""
        return np.isinf(numbers) if self.may_be_missing else ~np.isfinite(numbers)

    def value(self, cell: Cell, *, textual: bool) -> float:
        """Return the number of one cell, NaN if it is missing; raises CellMismatch."""
        number = self._number_of_text(str(cell)) if textual else self._number_of_value(cell)
        if abs(number) >= BEYOND_FLOAT32:
            raise CellMismatch(f"{SENT} is beyond what a float32 holds")
        return number

    def strict(self) -> "Feature":
        """Return the feature as it is where unknown categories are errors."""
        return self

    def coded(self) -> "Feature":
        """Return the feature as it reads formats of numbers alone, where a category is sent as its code."""
        return self

    def missing(self) -> float:
        """Return the number of a missing cell; raises CellMismatch if the schema says that there must be a value."""
        if self.may_be_missing:
            return math.nan
        raise CellMismatch("a value is missing, and this column must have one")

    def _plain_text(self, cells: Sequence[Cell]) -> Column | None:
        texts: Sequence[str] = cells  # type: ignore[assignment]  # textual cells are text
        if not NUMBER_TEXT.fullmatch("".join(texts)):
            return None
        try:
            return [float(text or "nan") for text in texts]
        except ValueError:
            return None

    def _plain_values(self, cells: Sequence[Cell]) -> Column | None:
        """Return the cells themselves if each is a number or None."""
        values: Sequence[float | None] = cells  # type: ignore[assignment]  # the next line sees to it
        if not set(map(type, cells)) <= {int, float, type(None)}:
            return None
        try:
            return [value if value is None else float(value) for value in values]
        except OverflowError:
            return None

    def _number_of_text(self, text: str) -> float:
        text = text.strip()
        if not text or NAN_TEXT.fullmatch(text):
            return self.missing()
        if self.type == "i" and text.lower() in BOOLEANS:
            return BOOLEANS[text.lower()]
        if not is_number(text):
            hint = "; a missing value is an empty cell" if text.lower() in MISSING_ELSEWHERE else ""
            raise CellMismatch(f"{SENT} is not {self._expected}{hint}")
        return float(text)

    def _number_of_value(self, cell: Cell) -> float:
        if cell is None:
            return self.missing()
        if isinstance(cell, bool) and self.type != "i":
            raise CellMismatch(f"{SENT} is not {self._expected}")
        if isinstance(cell, str):
            raise CellMismatch(f"{SENT} is a string, not {self._expected}")
        try:
            number = float(cell)
        except OverflowError:
            return math.inf
        except TypeError:
            raise CellMismatch(f"{SENT} is not {self._expected}") from None
        return self.missing() if math.isnan(number) else number


@dataclass(frozen=True)
class CodeFeature(Feature):
    """A categorical feature whose labels nobody kept: it takes the codes 0 to ``code_count`` - 1 that the trees know."""

    type: str = "c"
    code_count: int = 0
    unknown_is_missing: bool = False

    def doubtful(self, numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
        known = (numbers >= 0) & (numbers < self.code_count) & (numbers == np.floor(numbers))
        doubtful: NDArray[np.bool_] = ~(known | np.isnan(numbers)) | super().doubtful(numbers)
        return doubtful

    def strict(self) -> Feature:
        return replace(self, unknown_is_missing=False)

    def value(self, cell: Cell, *, textual: bool) -> float:
        code = super().value(cell, textual=textual)
        if math.isnan(code) or (code.is_integer() and 0 <= code < self.code_count):
            return code
        if self.unknown_is_missing:
            return math.nan
        raise CellMismatch(
            f"{SENT} is not a known category: the codes are the whole numbers 0 to {self.code_count - 1}"
        )


@dataclass(frozen=True)
class LabelFeature(Feature):
    """A categorical feature that takes labels; a label's place among ``categories`` is the code that the trees know."""

    type: str = "c"
    categories: tuple[str, ...] = ()
    unknown_is_missing: bool = False
    codes: dict[Cell, float] = field(init=False, repr=False, compare=False)
    code_texts: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "codes", {label: float(code) for code, label in enumerate(self.categories)}
        )
        object.__setattr__(
            self, "code_texts", {label: str(code) for code, label in enumerate(self.categories)}
        )

    def strict(self) -> Feature:
        return replace(self, unknown_is_missing=False)

    def coded(self) -> Feature:
        return CodeFeature("c", self.may_be_missing, len(self.categories), self.unknown_is_missing)

    def value(self, cell: Cell, *, textual: bool) -> float:
        if cell is None or cell != cell:  # noqa: PLR0124  # only NaN differs from itself
            return self.missing()
        code = self.codes.get(cell if isinstance(cell, str) else quoted(cell))
        if code is None and textual:
            text = str(cell).strip()
            if not text or (text not in self.codes and NAN_TEXT.fullmatch(text)):
                return self.missing()
            code = self.codes.get(text)
        if code is not None:
            return code
        if self.unknown_is_missing and isinstance(cell, str | int | float):
            return math.nan
        raise CellMismatch(f"{SENT} is not a known category: expected {listed(self.categories)}")

    def _plain_text(self, cells: Sequence[Cell]) -> Column | None:
        codes = [self.codes.get(cell) for cell in cells]
        return None if None in codes else codes

    def _plain_values(self, cells: Sequence[Cell]) -> Column | None:
        return self._plain_text(cells) if set(map(type, cells)) == {str} else None
