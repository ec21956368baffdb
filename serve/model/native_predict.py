"""Dense: XGBoost's C call for a dense matrix, without what costs more than the trees when there is one row.

That is the checks of the Python package, and a proxy for the matrix that XGBoost makes anew for each call, reading the cgroup's
files for it: of the 120 µs of Booster.inplace_predict (8 features, 100 trees; an EPYC) 40 are left without the checks, and 12 with
a proxy that is kept. Source: XGBoosterPredictFromDense and XGProxyDMatrixCreate of XGBoost's C API. It leans on
``xgboost.core._LIB``, which is nobody's promise.
"""

import ctypes
import json
import math
import threading
from collections.abc import Callable
from ctypes import byref

import numpy as np
import xgboost
from numpy.typing import NDArray

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]

FLOAT_BYTES = 4
PREDICTION = 0
MATRIX = b'{"data":[%d,true],"shape":[%d,%d],"typestr":"<f4","version":3}'
COUNTS, FLOATS = ctypes.POINTER(ctypes.c_uint64), ctypes.POINTER(ctypes.c_float)


def native_predictor(
    booster: xgboost.Booster,
    rounds: int,
    direct: Callable[[xgboost.Booster, int], Predict] | None = None,
) -> Predict:
    """Return a function from features, float32 (n, f) with n > 0, to predictions, float32 (n,) or (n, k).

    It is what ``direct`` makes, by default ``direct_predictor``, or Booster.inplace_predict where that fails or gives other
    numbers. Many threads may call it at once. It raises XGBoostError as that does.
    """

    def inplace(features: NDArray[np.float32]) -> NDArray[np.float32]:
        predictions: NDArray[np.float32] = booster.inplace_predict(
            features, iteration_range=(0, rounds), validate_features=False
        )
        return predictions

    probe = np.zeros((2, booster.num_features()), dtype=np.float32)
    try:
        call = (direct or direct_predictor)(booster, rounds)
        agreed = np.array_equal(call(probe), inplace(probe), equal_nan=True)
    except (AttributeError, TypeError, ctypes.ArgumentError):
        return inplace
    return call if agreed else inplace


def direct_predictor(booster: xgboost.Booster, rounds: int) -> Predict:
    """Return the C call itself as such a function; raises AttributeError where the library does not have it."""
    library: ctypes.CDLL = getattr(xgboost.core, "_LIB")  # noqa: B009  # it is not exported; native_predictor falls back without it
    call = library.XGBoosterPredictFromDense
    handle = booster.handle
    options = json.dumps(
        {
            "type": PREDICTION,
            "training": False,
            "iteration_begin": 0,
            "iteration_end": rounds,
            "missing": math.nan,
            "strict_shape": False,
            "cache_id": 0,
        }
    ).encode()

    slots = _Slots(library)

    def predict(features: NDArray[np.float32]) -> NDArray[np.float32]:
        features = np.ascontiguousarray(features, dtype=np.float32)
        matrix = MATRIX % (features.__array_interface__["data"][0], *features.shape)
        if call(handle, matrix, options, slots.proxy, *slots.results):
            raise xgboost.core.XGBoostError(library.XGBGetLastError().decode(errors="replace"))
        lengths = slots.shape[: slots.dimensions.value]
        # The values lie in a buffer of this thread's that its next call fills anew.
        copied = ctypes.string_at(slots.values, FLOAT_BYTES * math.prod(lengths))
        return np.frombuffer(copied, dtype=np.float32).reshape(lengths)

    return predict


class _Slots(threading.local):
    """What a call of one thread fills: XGBoost's stand-in for the matrix, and where it writes what it returns."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self.proxy = ctypes.c_void_p()
        if library.XGProxyDMatrixCreate(byref(self.proxy)):
            raise xgboost.core.XGBoostError(library.XGBGetLastError().decode(errors="replace"))
        self.shape, self.dimensions, self.values = COUNTS(), ctypes.c_uint64(), FLOATS()
        self.results = byref(self.shape), byref(self.dimensions), byref(self.values)

    def __del__(self) -> None:
        self._library.XGDMatrixFree(self.proxy)
