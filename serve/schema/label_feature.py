"""LabelFeature: a categorical feature whose cells are labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from serve.diagnosis.cells import find_label_hint, is_foreign_missing_value
from serve.errors import SENT
from serve.records import Cell
from serve.schema.feature import NAN_TEXT, CellMismatch, CodeFeature, Column, Feature
from serve.text import is_number, listed, quoted


@dataclass(frozen=True)
class LabelFeature(Feature):
    """A categorical feature whose cells are labels; a label's code is its index in the list."""

    type: str = "c"
    categories: tuple[str, ...] = ()
    unknown_is_missing: bool = False
    codes: dict[Cell, float] = field(init=False, repr=False, compare=False)
    code_texts: dict[str, str] = field(init=False, repr=False, compare=False)
    label_numbers: frozenset[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes = {label: float(code) for code, label in enumerate(self.categories)}
        code_texts = {label: str(code) for code, label in enumerate(self.categories)}
        numbers = frozenset(map(float, filter(is_number, self.categories)))
        object.__setattr__(self, "codes", codes)
        object.__setattr__(self, "code_texts", code_texts)
        object.__setattr__(self, "label_numbers", numbers)

    def strict(self) -> Feature:
        return replace(self, unknown_is_missing=False)

    def as_codes(self) -> Feature:
        return CodeFeature(
            "c",
            self.may_be_missing,
            self.missing_value,
            len(self.categories),
            self.unknown_is_missing,
        )

    def read(self, cell: Cell, *, textual: bool) -> float:
        if cell is None or cell != cell:  # noqa: PLR0124  # NaN is not equal to itself
            return self.read_missing()
        code = self.codes.get(_to_label(cell))
        if code is None and textual:
            text = str(cell).strip()
            if not text or (text not in self.codes and NAN_TEXT.fullmatch(text)):
                return self.read_missing()
            code = self.codes.get(text)
        if code is not None:
            return self.read_missing(sent=True) if self.is_missing_value(code) else code
        if self._means_missing(cell):
            return self.read_missing(sent=True)
        if self.unknown_is_missing and self._could_be_category(cell):
            return math.nan
        hint = find_label_hint(cell, self.categories, textual=textual)
        raise CellMismatch(f"unknown category {SENT}: expected {listed(self.categories)}", hint)

    def _means_missing(self, cell: Cell) -> bool:
        """Return whether a cell that is not a label is the column's ``missing_value``.

        If that number is a label in another spelling, the cell may mean the label, so it does not.
        """
        number = _to_number(cell)
        if number is None or number in self.label_numbers:
            return False
        return self.is_missing_value(number)

    def _could_be_category(self, cell: Cell) -> bool:
        """Return whether a cell that is not a label could be one that training did not contain.

        In a column of words, a number is not a word, and the text of a code is a code. Spellings
        of a missing value are not categories either.
        """
        if isinstance(cell, bool) or not isinstance(cell, str | int | float):
            return False
        if isinstance(cell, str):
            text = cell.strip()
            if not text or NAN_TEXT.fullmatch(text) or is_foreign_missing_value(text):
                return False
        elif not math.isfinite(cell):
            return False
        if self.label_numbers:
            return True
        return isinstance(cell, str) and _to_number(cell) not in range(len(self.categories))

    def _read_texts(self, cells: Sequence[Cell]) -> Column | None:
        codes = [self.codes.get(cell) for cell in cells]
        return None if None in codes else codes

    def _read_values(self, cells: Sequence[Cell]) -> Column | None:
        return self._read_texts(cells) if set(map(type, cells)) == {str} else None


def _to_label(cell: Cell) -> str | None:
    """Return the label that a cell spells; a number or a boolean spells its JSON text."""
    if isinstance(cell, str):
        return cell
    return quoted(cell) if isinstance(cell, int | float) else None


def _to_number(cell: Cell) -> float | None:
    """Return the number in a cell or in its text, or None."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    if isinstance(cell, str) and not is_number(cell):
        return None
    try:
        return float(cell)
    except OverflowError:
        return math.inf
