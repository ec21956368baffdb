"""Columns: the named outputs of a response, such as probabilities or feature contributions.

Source: SAGEMAKER_INFERENCE_OUTPUT in AWS's XGBoost image; docs/explanations.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Encoding needs many times the memory of the values, and blocks other threads.
MAX_ENCODED_VALUES = 1 << 18


@dataclass(frozen=True, slots=True)
class ValuesByName:
    """Values for each of n records and f names, float32 (n, f), or (n, f, k) with k values each.

    If ``top`` is set, each record shows only the names of its ``top`` largest absolute values.
    ``classes`` are the names of the k values, or of the only one, which JSON also shows.
    """

    names: tuple[str, ...]
    values: NDArray[Any]
    top: int | None = None
    classes: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def displayed_names(self) -> NDArray[np.intp]:
        """Return the indices of the names to show for each record, int (n, f) or (n, top).

        With ``top``, the largest absolute value comes first.
        """
        if self.top is None:
            return np.broadcast_to(np.arange(len(self.names)), (len(self), len(self.names)))
        magnitudes = np.abs(self.values).reshape(*self.values.shape[:2], -1).max(axis=2)
        return np.argsort(-magnitudes, axis=1, kind="stable")[:, : self.top]


@dataclass(frozen=True, slots=True)
class ValuesByClass:
    """Values for each of n records, float32 (n,) or (n, k), whose classes JSON shows.

    In other media types they are an array like any other.
    """

    classes: tuple[str, ...]
    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Names:
    """One of several names for each of n records: ``values`` are its indices, and -1 is null."""

    names: tuple[str | int, ...]
    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.values)


# Integers or float32, one per record, (n,), or k per record, (n, k); NaN represents null.
Column = NDArray[Any] | ValuesByName | ValuesByClass | Names
Columns = Mapping[str, Column]


def build_null_column(count: int) -> NDArray[np.float32]:
    """Return a column of nulls, float32 (n,)."""
    return np.full(count, np.nan, dtype=np.float32)


def concatenate_columns(slices: Sequence[Columns]) -> Columns:
    """Return the columns of all slices, or {} if ``slices`` is empty."""
    if not slices:
        return {}
    if len(slices) == 1:
        return slices[0]
    return {name: _concatenate([columns[name] for columns in slices]) for name in slices[0]}


def split_scores(scores: NDArray[np.float32]) -> Iterable[NDArray[np.float32]]:
    """Yield scores, float32 (n,) or (n, k), in parts of about MAX_ENCODED_VALUES."""
    if scores.size <= MAX_ENCODED_VALUES:
        return (scores,)
    step = max(1, MAX_ENCODED_VALUES * len(scores) // scores.size)
    return (scores[start : start + step] for start in range(0, len(scores), step))


def split_columns(columns: Columns) -> Iterator[Columns]:
    """Yield columns in parts of about MAX_ENCODED_VALUES."""
    size = sum(_get_values(column).size for column in columns.values())
    count = max(map(len, columns.values()), default=0)
    step = max(1, MAX_ENCODED_VALUES * count // max(1, size))
    for start in range(0, max(1, count), step):
        yield {name: _slice(column, start, start + step) for name, column in columns.items()}


def flatten_cells(columns: Columns) -> Columns:
    """Return the columns with a cell for each value, also of a list."""
    return {name: _flatten(column) for name, column in columns.items()}


def flatten_columns(columns: Columns) -> dict[str, NDArray[np.float32]]:
    """Return each column as a matrix, float32 (n, k), whose rows hold all values of a record.

    No column may consist of Names.
    """
    return {
        name: _get_values(column).reshape(len(column), -1).astype(np.float32)
        for name, column in columns.items()
    }


def _flatten(column: Column) -> Column:
    values = _get_values(column)
    if values.ndim == 1:
        return column
    values = values.reshape(len(column), -1)
    return ValuesByName(tuple(map(str, range(values.shape[1]))), values)


def _concatenate(parts: Sequence[Column]) -> Column:
    return _replace_values(parts[0], np.concatenate([_get_values(part) for part in parts]))


def _slice(column: Column, start: int, end: int) -> Column:
    return _replace_values(column, _get_values(column)[start:end])


def _get_values(column: Column) -> NDArray[Any]:
    return column if isinstance(column, np.ndarray) else column.values


def _replace_values(column: Column, values: NDArray[Any]) -> Column:
    return values if isinstance(column, np.ndarray) else replace(column, values=values)
