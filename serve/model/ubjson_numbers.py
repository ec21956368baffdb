"""The types of numbers in UBJSON, by the letter that stands before them.

Source: https://ubjson.org.
"""

from typing import Any

import numpy as np

# Numbers are big-endian. XGBoost writes floats as f4, with the letter d.
NUMBERS: dict[bytes, "np.dtype[Any]"] = {
    b"i": np.dtype(">i1"),
    b"U": np.dtype(">u1"),
    b"I": np.dtype(">i2"),
    b"l": np.dtype(">i4"),
    b"L": np.dtype(">i8"),
    b"d": np.dtype(">f4"),
    b"D": np.dtype(">f8"),
}
