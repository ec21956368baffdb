"""Facts about a column of the sample, collected part by part."""

import math
import re
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serve.schema.feature import FLOAT32_OVERFLOW

Floats = NDArray[np.float64]
# What pandas.read_csv reads as a missing value by default, as training probably did.
NA_TEXTS = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
    | {"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)
BOOLEANS = frozenset({"true", "false"})
WHOLE_NUMBER = r"[+-]?\d+"
# Numbers that people write for a missing value.
MARKER = re.compile(r"-9{2,6}(?:\.0+)?")
MAX_LABELS = 100_000
MAX_NUMBERS = 10


@dataclass(slots=True)
class ColumnFacts:
    """Facts about the cells so far.

    Attributes:
        labels: the texts that pandas does not read as missing values; they are not labels of the
            feature only because pandas knows them.
        marker: a number that means missing.
        row_count: the number of all cells.
        missing_texts: the cells that are missing, by their text; a blank one is "".
        max_values: how many different cells are counted.
        values: the other cells, by their text.
        low: the smallest number, and ``high`` the largest.
        is_whole: whether all numbers are written without a decimal point.
        text: the first cell that is not a number.
        suspects: numbers such as -999 that may mean missing.

    """

    labels: Container[str] = ()
    marker: float | None = None
    max_values: int = MAX_NUMBERS
    row_count: int = 0
    missing_texts: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    low: float | None = None
    high: float | None = None
    is_whole: bool = True
    text: str | None = None
    suspects: Counter[str] = field(default_factory=Counter)

    @property
    def has_missing(self) -> bool:
        return bool(self.missing_texts)

    @property
    def has_all_values(self) -> bool:
        """Whether ``values`` contains all different cells."""
        return len(self.values) < self.max_values

    @property
    def is_boolean(self) -> bool:
        texts = {value.lower() for value in self.values}
        return bool(texts) and texts <= BOOLEANS

    def add(self, cells: pd.Series) -> None:
        """Add the cells of a part of the file."""
        self.row_count += len(cells)
        counts = cells.fillna("").str.strip().value_counts()
        texts = pd.Series(counts.index, dtype=object)
        numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
        is_missing = self._find_missing(texts, numbers)
        is_number = ~is_missing & (np.abs(numbers) < FLOAT32_OVERFLOW)
        self.missing_texts.update(dict(counts[is_missing]))
        self._add_values(counts[~is_missing])
        self._add_numbers(texts[is_number], numbers[is_number])
        others = texts[~is_missing & ~is_number]
        if self.text is None and len(others):
            self.text = others.iloc[0]

    def _find_missing(self, texts: pd.Series, numbers: Floats) -> NDArray[np.bool_]:
        is_text = np.array([text in NA_TEXTS and text not in self.labels for text in texts])
        marker = np.float32(math.nan if self.marker is None else self.marker)
        is_marker = numbers.astype(np.float32) == marker
        is_missing: NDArray[np.bool_] = is_text | is_marker
        return is_missing

    def _add_values(self, counts: pd.Series) -> None:
        for text, count in zip(counts.index.astype(str), counts, strict=True):
            if text in self.values or self.has_all_values:
                self.values[text] += int(count)
            if MARKER.fullmatch(text):
                self.suspects[text] += int(count)

    def _add_numbers(self, texts: pd.Series, numbers: Floats) -> None:
        if not len(numbers):
            return
        low, high = float(numbers.min()), float(numbers.max())
        self.low = low if self.low is None else min(low, self.low)
        self.high = high if self.high is None else max(high, self.high)
        self.is_whole = self.is_whole and bool(texts.str.fullmatch(WHOLE_NUMBER).all())
