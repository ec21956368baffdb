"""Schema: the features that a model expects, in order, and the alignment of records with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import isnan

import numpy as np
from numpy.typing import NDArray

from serve.column_names import match_names, strip_blanks
from serve.diagnosis.lines import (
    check_for_header,
    describe_width_mismatch,
    find_line_hint,
    find_width_hint,
)
from serve.diagnosis.names import describe_header_mismatch, describe_name_mismatch
from serve.errors import HeaderMismatch, SchemaMismatch
from serve.records import Cell, Matrix, Records, Rows
from serve.schema.feature import CellMismatch, CodeFeature, Feature
from serve.schema.label_feature import LabelFeature
from serve.text import column_label, is_number, quoted, with_hint

NUMBER_TYPES = {int, float, type(None)}


@dataclass(frozen=True)
class Schema:
    """The features in training order, and their names if the artifact contains names.

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
        """Whether any column contains labels.

        In such a column, a number is read as the text of a label.
        """
        return any(isinstance(feature, LabelFeature) for feature in self.features)

    @cached_property
    def accepts_all_finite(self) -> bool:
        """Whether every finite number is valid in every column, and not a missing value."""
        return not self._columns_with_codes and self._missing_values is None

    def accepts(self, matrix: NDArray[np.float32]) -> bool:
        """Return whether all numbers in a matrix, float32 (n, f), are valid; NaN means missing."""
        if not np.isfinite(matrix).all() and self._find_invalid(matrix).any():
            return False
        return not any(
            self.features[column].find_unverified(matrix[:, column]).any()
            for column in self._columns_with_codes
        )

    def replace_missing_values(self, matrix: NDArray[np.float32]) -> None:
        """Replace the ``missing_value`` of each column by NaN in a matrix, float32 (n, f)."""
        if self._missing_values is not None:
            matrix[matrix == self._missing_values] = np.nan

    @cached_property
    def accepts_unknown_labels(self) -> bool:
        """Whether any text is accepted in some column, as a missing value."""
        return any(
            isinstance(feature, LabelFeature) and feature.unknown_is_missing
            for feature in self.features
        )

    def could_be_record(self, texts: Sequence[str]) -> bool:
        """Return whether text cells form a record without unknown categories."""
        return _are_readable(self._strict_features, texts)

    def could_be_header(self, texts: Sequence[str]) -> bool:
        """Return whether text cells form a record, but only because every category is unknown."""
        if not self.accepts_unknown_labels or any(map(is_number, texts)):
            return False
        if not _are_readable(self.features, texts):
            return False
        is_blank = not any(text.strip() for text in texts)
        values = zip(self._strict_features, texts, strict=True)
        return not is_blank and not any(_is_value(feature, text) for feature, text in values)

    def match_names(self, names: Sequence[str]) -> tuple[str, ...] | None:
        """Return the schema's names in the order of ``names``, or None if these do not match."""
        if self.names is None or len(names) != self.width:
            return None
        if self.names == (names := tuple(names)) or self._name_set == set(names):
            return names
        if strip_blanks(names[0]) not in self._stripped_names:  # as in almost every record
            return None
        matched = match_names(names, self.names)
        return matched if self._name_set == set(matched) else None

    def reorder(self, names: tuple[str, ...] | None) -> "Schema | None":
        """Return the schema in the order of ``names``, or None if these are not its names."""
        if names is None or names == self.names:
            return self
        matched = self.match_names(names)
        if self.names is None or matched is None:
            return None
        return Schema(tuple(self.features[self.names.index(name)] for name in matched), names)

    def align(self, records: Records) -> NDArray[np.float32]:
        """Return the records as features, float32 (n, f).

        Categories become codes, and missing values become NaN. A number sent as text becomes
        float32(float64(text)). Raises SchemaMismatch with the row and the column.
        """
        match records:
            case Matrix(accepted=True):
                return self._align_accepted(records)
            case Matrix():
                return self._align_matrix(records)
            case Rows():
                return self._align_rows(records)

    def describe_width_mismatch(self, row: int, width: int) -> str:
        """Return the message for a row with the wrong number of columns."""
        return describe_width_mismatch(self.names, self.width, row, width)

    def _align_accepted(self, matrix: Matrix) -> NDArray[np.float32]:
        order = self._column_order(matrix.names)
        return matrix.numbers if isinstance(order, range) else matrix.numbers[:, order]

    def _align_matrix(self, matrix: Matrix) -> NDArray[np.float32]:
        numbers = matrix.numbers
        if numbers.shape[1] != self.width:
            raise SchemaMismatch(self.describe_width_mismatch(matrix.first_row, numbers.shape[1]))
        with np.errstate(over="ignore"):
            features = numbers.astype(np.float32, order="C")
        self.replace_missing_values(features)
        for row, column in np.argwhere(self._find_unverified(features)):
            number, feature = float(numbers[row, column]), self._features_as_codes[column]
            try:
                features[row, column] = feature.read(number, textual=False)
            except CellMismatch as error:
                reason = with_hint(error.reason, error.hint)
                raise self._build_cell_error(matrix, row, column, number, reason) from error
        return features

    def _align_rows(self, rows: Rows) -> NDArray[np.float32]:
        self._check_names(rows)
        order = self._column_order(rows.names)
        if not rows.cells:
            return np.empty((0, self.width), dtype=np.float32)
        self._check_widths(rows)
        with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite
            features = self._read_matrix(rows, order)
            if features is None:
                features = self._read_columns(rows, order)
        self.replace_missing_values(features)
        self._verify(features, rows, order)
        return features

    def _check_names(self, rows: Rows) -> None:
        names, source = rows.names, rows.names_source
        if names is None or names == self.names:
            return
        if self.names is None:
            raise SchemaMismatch(
                f"{source}: the model has no column names; "
                f"send each row as a list of {self.width} values in order"
            )
        if self.match_names(names) is not None:
            return
        if rows.textual:
            is_record = self.could_be_record(names)
            mismatch = describe_header_mismatch(names, self.names, is_record=is_record)
            raise HeaderMismatch(*mismatch)
        raise SchemaMismatch(*describe_name_mismatch(names, self.names, source))

    def _column_order(self, names: tuple[str, ...] | None) -> Sequence[int]:
        """Return the index of each feature in ``names``, the schema's names in any order."""
        if names is None or self.names is None or names == self.names:
            return range(self.width)
        matched = self.match_names(names) or names
        indices = {name: index for index, name in enumerate(matched)}
        return [indices[name] for name in self.names]

    def _check_widths(self, rows: Rows) -> None:
        if set(map(len, rows.cells)) <= {self.width}:
            return
        check_for_header(self.names, rows)
        widths = enumerate(map(len, rows.cells))
        row, width = next((row, width) for row, width in widths if width != self.width)
        hint = find_width_hint(self.names, rows, row, self.width)
        mismatch = self.describe_width_mismatch(rows.first_row + row, width)
        raise SchemaMismatch(with_hint(mismatch, hint))

    def _read_matrix(self, rows: Rows, order: Sequence[int]) -> NDArray[np.float32] | None:
        """Return the cells as one matrix, or None if any of them is not a number."""
        if rows.textual or self.has_labels:
            return None
        if not set(map(type, chain.from_iterable(rows.cells))) <= NUMBER_TYPES:
            return None
        try:
            numbers = np.array(rows.cells, dtype=np.float32).reshape(len(rows), self.width)
        except OverflowError:  # an integer beyond float64
            return None
        return numbers if isinstance(order, range) else numbers[:, order]

    def _read_columns(self, rows: Rows, order: Sequence[int]) -> NDArray[np.float32]:
        columns: list[Sequence[Cell]] = list(zip(*rows.cells, strict=True))
        features = np.empty((len(rows), self.width), dtype=np.float32)
        for column, feature in enumerate(self.features):
            numbers = feature.read_column(columns[order[column]], textual=rows.textual)
            if numbers is None:
                numbers = [self._read_cell(rows, row, column, order) for row in range(len(rows))]
            features[:, column] = numbers
        return features

    def _verify(self, features: NDArray[np.float32], rows: Rows, order: Sequence[int]) -> None:
        """Replace unverified numbers, in place, by numbers read again from their cells."""
        suspects = {int(column) for column in np.flatnonzero(~np.isfinite(features).all(axis=0))}
        for column in sorted(suspects.union(self._columns_with_codes)):
            for row in np.flatnonzero(self.features[column].find_unverified(features[:, column])):
                features[row, column] = self._read_cell(rows, int(row), column, order)

    def _read_cell(self, rows: Rows, row: int, column: int, order: Sequence[int]) -> float:
        cell = rows.cells[row][order[column]]
        try:
            return self.features[column].read(cell, textual=rows.textual)
        except CellMismatch as error:
            check_for_header(self.names, rows)
            hint = find_line_hint(self.names, rows, row, self.width, error.hint)
            reason = with_hint(error.reason, hint)
            raise self._build_cell_error(rows, row, column, cell, reason) from error

    def _build_cell_error(
        self, records: Records, row: int, column: int, cell: Cell, reason: str
    ) -> SchemaMismatch:
        where = f"row {records.first_row + row}, {column_label(self.names, column)}"
        return SchemaMismatch(f"{where}: {reason}", quoted(cell))

    def _find_unverified(self, features: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return a mask of the unverified numbers in a matrix, float32 (n, f), with codes."""
        unverified = self._find_invalid(features)
        for column in self._all_categorical_columns:
            feature = self._features_as_codes[column]
            unverified[:, column] = feature.find_unverified(features[:, column])
        return unverified

    def _find_invalid(self, features: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return a mask of the infinite numbers and of the missing values that are required."""
        mask: NDArray[np.bool_] = np.isinf(features) | (np.isnan(features) & self._required_mask)
        return mask

    @cached_property
    def _name_set(self) -> set[str]:
        return set(self.names or ())

    @cached_property
    def _stripped_names(self) -> set[str]:
        return set(map(strip_blanks, self.names or ()))

    @cached_property
    def _strict_features(self) -> tuple[Feature, ...]:
        return tuple(feature.strict() for feature in self.features)

    @cached_property
    def _features_as_codes(self) -> tuple[Feature, ...]:
        return tuple(feature.as_codes() for feature in self.features)

    @cached_property
    def _all_categorical_columns(self) -> tuple[int, ...]:
        return _find_code_columns(self._features_as_codes)

    @cached_property
    def _columns_with_codes(self) -> tuple[int, ...]:
        return _find_code_columns(self.features)

    @cached_property
    def _required_mask(self) -> NDArray[np.bool_]:
        return np.array([not feature.may_be_missing for feature in self.features])

    @cached_property
    def _missing_values(self) -> NDArray[np.float32] | None:
        """The ``missing_value`` of each column, float32 (f,), or None if there are none."""
        values = np.array([feature.missing_value for feature in self.features], dtype=np.float32)
        return None if np.isnan(values).all() else values


def _find_code_columns(features: Sequence[Feature]) -> tuple[int, ...]:
    return tuple(
        column for column, feature in enumerate(features) if isinstance(feature, CodeFeature)
    )


def _are_readable(features: Sequence[Feature], texts: Sequence[str]) -> bool:
    """Return whether the features accept text cells as a record."""
    try:
        for feature, text in zip(features, texts, strict=True):
            feature.read(text, textual=True)
    except ValueError:
        return False
    return True


def _is_value(feature: Feature, text: str) -> bool:
    """Return whether a feature reads a text cell as a value that is not missing."""
    try:
        return not isnan(feature.read(text, textual=True))
    except CellMismatch:
        return False
