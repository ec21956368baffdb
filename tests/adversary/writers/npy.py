"""Write application/x-npy: arrays of every numeric type, byte order, memory order and version."""

import io

import numpy as np

from tests.adversary.payloads import Payload
from tests.adversary.tables import ANY, BOOLEAN, FLOAT16, FLOAT32, NumberType, integers
from tests.adversary.writers.context import Context

MEDIA_TYPE = "application/x-npy"
TYPES: dict[str, NumberType] = {
    "f2": FLOAT16,
    "f4": FLOAT32,
    "f8": ANY,
    "b1": BOOLEAN,
    **{f"i{size}": integers(8 * size, signed=True) for size in (1, 2, 4, 8)},
    **{f"u{size}": integers(8 * size, signed=False) for size in (1, 2, 4, 8)},
}


def write_npy(context: Context, kind: str) -> Payload:
    """Return one array; a single row is sometimes one-dimensional."""
    random = context.random
    matrix = np.array(context.table, dtype=np.float64).reshape(-1, context.width)
    array = np.asarray(matrix, np.dtype(random.choice("<>") + kind), random.choice(("C", "F")))
    if len(array) == 1 and context.chance(0.5):
        array = array[0]
    file = io.BytesIO()
    np.lib.format.write_array(file, array, random.choice((None, (1, 0), (2, 0), (3, 0))))
    return context.build_payload(file.getvalue(), MEDIA_TYPE, f"npy: {kind}")
