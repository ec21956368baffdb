"""Schema: the features that a model expects, in order, and what is known about them as a whole."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np
from numpy.typing import NDArray

from serve.column_names import match_names, strip_blanks
from serve.diagnosis.lines import describe_width_mismatch
from serve.schema.feature import CellMismatch, CodeFeature, Feature
from serve.schema.label_feature import LabelFeature
from serve.text import is_number


@dataclass(frozen=True)
class Schema:
    """The features in training order, and their names if the artifact contains names.

    ``libsvm_base`` is the index of the first feature in text/libsvm, 0 or 1. ``ignored`` are the
    names, without blanks at the ends, of columns that are dropped where names are sent.
    """

    features: tuple[Feature, ...]
    names: tuple[str, ...] | None = None
    libsvm_base: int = 0
    ignored: frozenset[str] = frozenset()

    @cached_property
    def width(self) -> int:
        return len(self.features)

    @cached_property
    def has_labels(self) -> bool:
        """Whether any column contains labels.

        In such a column, a number is read as the text of a label.
        """
        return any(isinstance(feature, LabelFeature) for feature in self.features)

    @cached_property
    def features_as_codes(self) -> tuple[Feature, ...]:
        """The features of a matrix of numbers, in which every category is its code."""
        return tuple(feature.as_codes() for feature in self.features)

    @cached_property
    def columns_with_codes(self) -> tuple[int, ...]:
        """The indices of the categorical columns without labels."""
        return _find_code_columns(self.features)

    @cached_property
    def accepts_all_finite(self) -> bool:
        """Whether every finite number is valid in every column, and not a missing value."""
        return not self.columns_with_codes and self._missing_values is None

    def accepts(self, matrix: NDArray[np.float32]) -> bool:
        """Return whether all numbers in a matrix, float32 (n, f), are valid; NaN means missing."""
        if not np.isfinite(matrix).all() and self.find_invalid(matrix).any():
            return False
        return not any(
            self.features[column].find_unverified(matrix[:, column]).any()
            for column in self.columns_with_codes
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

    def ignoring(self, names: Iterable[str]) -> "Schema":
        """Return this schema, which also ignores columns with these names."""
        schema = copy(self)  # with the cached properties, which do not depend on the names
        object.__setattr__(schema, "ignored", self.ignored.union(map(strip_blanks, names)))
        return schema

    def find_kept(self, names: Sequence[str] | None) -> tuple[int, ...] | None:
        """Return the indices of the names that are not ignored, or None if no name is."""
        if not self.ignored or names is None:
            return None
        kept = tuple(
            index
            for index, name in enumerate(names)
            if name in self._name_set or strip_blanks(name) not in self.ignored
        )
        return kept if len(kept) < len(names) else None

    def reorder(self, names: tuple[str, ...] | None) -> "Schema | None":
        """Return the schema in the order of ``names``, or None if these are not its names."""
        if names is None or names == self.names:
            return self
        matched = self.match_names(names)
        if self.names is None or matched is None:
            return None
        return Schema(tuple(self.features[self.names.index(name)] for name in matched), names)

    def find_order(self, names: tuple[str, ...] | None) -> Sequence[int]:
        """Return the index of each feature in ``names``, the schema's names in any order.

        A range means that the order is the schema's own.
        """
        if names is None or self.names is None or names == self.names:
            return range(self.width)
        matched = self.match_names(names) or names
        indices = {name: index for index, name in enumerate(matched)}
        return [indices[name] for name in self.names]

    def describe_width_mismatch(self, row: int, width: int) -> str:
        """Return the message for a row with the wrong number of columns."""
        return describe_width_mismatch(self.names, self.width, row, width)

    def find_unverified(self, features: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return a mask of the unverified numbers in a matrix, float32 (n, f), with codes."""
        unverified = self.find_invalid(features)
        for column in self._all_categorical_columns:
            feature = self.features_as_codes[column]
            unverified[:, column] = feature.find_unverified(features[:, column])
        return unverified

    def find_invalid(self, features: NDArray[np.float32]) -> NDArray[np.bool_]:
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
    def _all_categorical_columns(self) -> tuple[int, ...]:
        return _find_code_columns(self.features_as_codes)

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
