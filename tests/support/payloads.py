"""Payloads: encode a matrix in numeric formats."""

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def npy(array: Any, version: tuple[int, int] | None = None) -> bytes:
    """Return an array in the format of numpy.save, optionally of another version."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def libsvm(matrix: NDArray[Any], base: int = 0) -> str:
    """Return one line per row, with a label and the values that are not NaN."""
    pairs = [
        [f"{index + base}:{value!r}" for index, value in enumerate(row) if not math.isnan(value)]
        for row in matrix.tolist()
    ]
    return "".join(" ".join([str(number % 3), *words]) + "\n" for number, words in enumerate(pairs))
