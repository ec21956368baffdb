"""Payloads: the same numbers in the formats that carry numbers alone."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray


def npy(array: Any, version: tuple[int, int] | None = None) -> bytes:
    """Return what numpy.save writes, or a file of another version."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def libsvm(matrix: NDArray[Any], base: int = 0) -> str:
    """Return a labelled line for each row, with the values that are there."""
    pairs = [
        [f"{place + base}:{value!r}" for place, value in enumerate(row) if value == value]  # noqa: PLR0124
        for row in matrix.tolist()
    ]
    return "".join(" ".join([str(number % 3), *words]) + "\n" for number, words in enumerate(pairs))
