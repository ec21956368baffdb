"""Columns: what a reply tells of each record under names, an array for each name.

Source: SAGEMAKER_INFERENCE_OUTPUT of AWS's XGBoost image, and Accept: application/json; explain=contributions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Named:
    """A value, (n, f), or several, (n, f, k), for each of f names; of them the ``most`` largest by absolute value, if it is set."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    most: int | None = None

    def __len__(self) -> int:
        return len(self.values)

    def order(self) -> NDArray[np.intp]:
        """Return which names each record tells, and in what order: int (n, f) or (n, most), the largest first."""
        if self.most is None:
            return np.broadcast_to(np.arange(len(self.names)), (len(self), len(self.names)))
        sizes = np.abs(self.values).reshape(*self.values.shape[:2], -1).max(axis=2)
        return np.argsort(-sizes, axis=1, kind="stable")[:, : self.most]


# A number, (n,), or a list of them, (n, k), for each record; integers or float32, NaN for null.
Column = NDArray[Any] | Named
Columns = Mapping[str, Column]


def nulls(count: int) -> NDArray[np.float32]:
    """Return a column without values, float32 (n,)."""
    return np.full(count, np.nan, dtype=np.float32)


def joined(slices: Sequence[Columns]) -> Columns:
    """Return the columns of all slices, {} if there are none."""
    if len(slices) <= 1:
        return slices[0] if slices else {}
    return {name: _joined([each[name] for each in slices]) for name in slices[0]}


def flat(columns: Columns) -> dict[str, NDArray[np.float32]]:
    """Return the values of each column as they come after each other, float32 (n, k); those of the first name come first."""
    plain = {
        name: column.values if isinstance(column, Named) else column
        for name, column in columns.items()
    }
    return {
        name: values.reshape(len(values), -1).astype(np.float32) for name, values in plain.items()
    }


def _joined(parts: Sequence[Column]) -> Column:
    first = parts[0]
    if isinstance(first, Named):
        return Named(
            first.names,
            np.concatenate([each.values for each in parts if isinstance(each, Named)]),
            first.most,
        )
    return np.concatenate([each for each in parts if not isinstance(each, Named)])
