"""Schema: the features a model expects, in order, and the alignment of records with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.errors import HeaderMismatch, SchemaMismatch
from serve.records import Records
from serve.schema.feature import CellMismatch, CodeFeature, Feature, LabelFeature
from serve.schema.mismatch import check_first_line, hint, joined_hint, unfit_names, unfit_width
from serve.text import column_name, quoted

NUMBERS = {int, float, type(None)}


@dataclass(frozen=True)
class Schema:
    """The features in training order, and their names where the artifact tells them.

    ``libsvm_base`` is the index of the first feature in text/libsvm, 0 or 1.
    """

    features: tuple[Feature, ...]
    names: tuple[str, ...] | None = None
    libsvm_base: int = 0

    @property
    def width(self) -> int:
        return len(self.features)

    @cached_property
    def has_labels(self) -> bool:
        """Whether some cells are labels, so that a number's text may mean itself."""
        return any(isinstance(feature, LabelFeature) for feature in self.features)

    def reads_as_record(self, texts: Sequence[str]) -> bool:
        """Tell whether these cells of text could be a record without unknown categories."""
        try:
            for feature, text in zip(self.features, texts, strict=True):
                feature.strict().value(text, textual=True)
        except ValueError:
            return False
        return True

    def takes(self, matrix: NDArray[np.float32]) -> bool:
        """Tell whether all numbers of a matrix, float32 (n, f) with NaN for what is missing, are surely meant as they are."""
        if not np.isfinite(matrix).all() and (self._must_have_values or np.isinf(matrix).any()):
            return False
        return not any(
            self.features[place].doubtful(matrix[:, place]).any() for place in self._coded
        )

    def arranged(self, names: tuple[str, ...] | None) -> "Schema | None":
        """Return the schema with its features in the order of these names, None if they are not its own."""
        if names is None or names == self.names:
            return self
        if self.names is None or sorted(names) != sorted(self.names):
            return None
        return Schema(tuple(self.features[self.names.index(name)] for name in names), names)

    def align(self, records: Records) -> NDArray[np.float32]:
        """Return the records as features: float32 (n, f), categories as their codes, NaN where a value is missing.

        A number's text means float32(float64(text)). Raises SchemaMismatch, which names the row and the column.
        """
        if records.numbers is not None:
            return self._align_numbers(records.numbers, records.first_row)
        order = self._order(records)
        if isinstance(records.rows, np.ndarray):
            return records.rows if isinstance(order, range) else records.rows[:, order]
        if not records.rows:
            return np.empty((0, self.width), dtype=np.float32)
        self._check_widths(records)
        numbers = self._numbers(records, order)
        self._settle_doubts(numbers, records, order)
        return numbers

    def wrong_width(self, row: int, width: int) -> str:
        """Return what is wrong with a row of so many columns."""
        return unfit_width(self.names, self.width, row, width)

    def _align_numbers(
        self, numbers: NDArray[np.floating[Any]], first_row: int
    ) -> NDArray[np.float32]:
        if numbers.shape[1] != self.width:
            raise SchemaMismatch(self.wrong_width(first_row, numbers.shape[1]))
        with np.errstate(over="ignore"):
            features = numbers.astype(np.float32, order="C")
        doubtful = np.isinf(features) | (np.isnan(features) & self._required)
        for place in self._sent_as_codes:
            doubtful[:, place] = self._by_code[place].doubtful(features[:, place])
        for row, place in np.argwhere(doubtful):
            number = float(numbers[row, place])
            try:
                features[row, place] = self._by_code[place].value(number, textual=False)
            except CellMismatch as error:
                where = f"row {first_row + row}, {column_name(self.names, int(place))}"
                raise SchemaMismatch(f"{where}: {error.reason}", quoted(number)) from error
        return features

    @cached_property
    def _by_code(self) -> tuple[Feature, ...]:
        return tuple(feature.coded() for feature in self.features)

    @cached_property
    def _sent_as_codes(self) -> tuple[int, ...]:
        return tuple(
            place for place, feature in enumerate(self._by_code) if isinstance(feature, CodeFeature)
        )

    @cached_property
    def _required(self) -> NDArray[np.bool_]:
        return np.array([not feature.may_be_missing for feature in self.features])

    def _order(self, records: Records) -> Sequence[int]:
        """Return, for each feature, the place of its cell in a row."""
        names = records.names
        if names is None or names == self.names:
            return range(self.width)
        if self.names is None:
            raise SchemaMismatch(
                f"{records.names_place}: the model knows no column names: send lists of {self.width} values in order"
            )
        if len(names) != self.width or set(names) != set(self.names):
            unfit = unfit_names(names, self.names, records.names_place)
            raise HeaderMismatch(*unfit) if records.textual else SchemaMismatch(*unfit)
        places = {name: place for place, name in enumerate(names)}
        return [places[name] for name in self.names]

    def _check_widths(self, records: Records) -> None:
        widths = set(map(len, records.rows))
        if widths <= {self.width}:
            return
        check_first_line(self.names, records)
        row, cells = next(
            (row, cells) for row, cells in enumerate(records.rows) if len(cells) != self.width
        )
        meant = joined_hint(records, self.width) or hint(self.names, records, row)
        raise SchemaMismatch(self.wrong_width(records.first_row + row, len(cells)) + meant)

    def _numbers(self, records: Records, order: Sequence[int]) -> NDArray[np.float32]:
        rows = records.rows
        with np.errstate(
            over="ignore"
        ):  # what is beyond float32 becomes infinite, and infinite numbers are doubtful
            if (
                not records.textual
                and not self.has_labels
                and set(map(type, chain.from_iterable(rows))) <= NUMBERS
            ):
                try:
                    numbers = np.array(rows, dtype=np.float32).reshape(len(rows), self.width)
                except (
                    OverflowError
                ):  # an integer beyond float64; column by column it gets its message
                    pass
                else:
                    return numbers if isinstance(order, range) else numbers[:, order]
            return self._numbers_by_column(records, order)

    def _numbers_by_column(self, records: Records, order: Sequence[int]) -> NDArray[np.float32]:
        columns = list(zip(*records.rows, strict=True))
        numbers = np.empty((len(records.rows), self.width), dtype=np.float32)
        for place, feature in enumerate(self.features):
            cells = columns[order[place]]
            plain = feature.plain(cells, textual=records.textual)
            numbers[:, place] = (
                [self._value(records, row, place, order) for row in range(len(cells))]
                if plain is None
                else plain
            )
        return numbers

    def _settle_doubts(
        self, numbers: NDArray[np.float32], records: Records, order: Sequence[int]
    ) -> None:
        """Read again, one by one and in place, the cells whose number may not be what the caller meant."""
        suspects = {int(place) for place in np.flatnonzero(~np.isfinite(numbers).all(axis=0))}
        for place in sorted(suspects.union(self._coded)):
            for row in np.flatnonzero(self.features[place].doubtful(numbers[:, place])):
                numbers[row, place] = self._value(records, int(row), place, order)

    @cached_property
    def takes_all_finite(self) -> bool:
        """Whether any finite number may stand in any column."""
        return not self._coded

    @cached_property
    def _must_have_values(self) -> bool:
        return not all(feature.may_be_missing for feature in self.features)

    @cached_property
    def _coded(self) -> tuple[int, ...]:
        return tuple(
            place for place, feature in enumerate(self.features) if isinstance(feature, CodeFeature)
        )

    def _value(self, records: Records, row: int, place: int, order: Sequence[int]) -> float:
        cell = records.rows[row][order[place]]
        try:
            return self.features[place].value(cell, textual=records.textual)
        except CellMismatch as error:
            check_first_line(self.names, records)
            where = f"row {records.first_row + row}, {column_name(self.names, place)}"
            raise SchemaMismatch(
                f"{where}: {error.reason}{hint(self.names, records, row)}", quoted(cell)
            ) from error
