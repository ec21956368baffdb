"""Predict a dense matrix through XGBoost's C API, without the overhead of its Python package.

For a single row that overhead exceeds the time spent in the trees. Booster.inplace_predict takes
120 µs (8 features, 100 trees, AMD EPYC). Without the Python package's checks it takes 40 µs.
Reusing the proxy DMatrix saves another 28 µs: XGBoost reads the cgroup files for each new proxy.

Source: XGBoosterPredictFromDense and XGProxyDMatrixCreate in XGBoost's C API. The library handle
is ``xgboost.core._LIB``, which is private and may disappear.
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

Predictor = Callable[[NDArray[np.float32]], NDArray[np.float32]]

FLOAT_BYTES = 4
VALUE_PREDICTION = 0
ARRAY_INTERFACE = b'{"data":[%d,true],"shape":[%d,%d],"typestr":"<f4","version":3}'
UINT64_POINTER = ctypes.POINTER(ctypes.c_uint64)
FLOAT_POINTER = ctypes.POINTER(ctypes.c_float)


def build_predictor(
    booster: xgboost.Booster,
    rounds: int,
    build_direct: Callable[[xgboost.Booster, int], Predictor] | None = None,
) -> Predictor:
    """Return a function from features, float32 (n, f) with n > 0, to predictions, (n,) or (n, k).

    ``build_direct`` builds the function; the default is ``build_direct_predictor``. If it fails, or
    if its function predicts other numbers, the function calls Booster.inplace_predict instead.
    Threads may call the function concurrently. Like Booster.inplace_predict, it may raise
    XGBoostError.
    """

    def predict_inplace(features: NDArray[np.float32]) -> NDArray[np.float32]:
        predictions: NDArray[np.float32] = booster.inplace_predict(
            features, iteration_range=(0, rounds), validate_features=False
        )
        return predictions

    probe = np.zeros((2, booster.num_features()), dtype=np.float32)
    try:
        predict_direct = (build_direct or build_direct_predictor)(booster, rounds)
        is_equal = np.array_equal(predict_direct(probe), predict_inplace(probe), equal_nan=True)
    except (AttributeError, TypeError, ctypes.ArgumentError):
        return predict_inplace
    return predict_direct if is_equal else predict_inplace


def build_direct_predictor(booster: xgboost.Booster, rounds: int) -> Predictor:
    """Return a predictor that calls the C API; raises AttributeError if a function is missing."""
    call = _DirectCall(booster, rounds)
    return lambda features: call.predict(np.ascontiguousarray(features, dtype=np.float32))


def build_direct_transform(booster: xgboost.Booster) -> Predictor:
    """Return a function from margins, float32 (n, k) or (n,), to predictions of the same shape.

    The booster has no trees and one feature: with the margins as base margins, it applies only the
    transformation of its objective. Raises AttributeError if a function of the C API is missing.
    """
    call = _DirectCall(booster, rounds=0)

    def transform(margins: NDArray[np.float32]) -> NDArray[np.float32]:
        features = np.zeros((len(margins), 1), dtype=np.float32)
        return call.predict(features, margins.reshape(len(margins), -1))

    return transform


class _DirectCall:
    """Calls of XGBoosterPredictFromDense for one booster; threads may make them concurrently."""

    def __init__(self, booster: xgboost.Booster, rounds: int) -> None:
        self._booster = booster
        self._library: ctypes.CDLL = getattr(xgboost.core, "_LIB")  # noqa: B009  # private; build_predictor falls back without it
        self._call = self._library.XGBoosterPredictFromDense
        self._buffers = _CallBuffers(self._library)
        self._options = json.dumps(
            {
                "type": VALUE_PREDICTION,
                "training": False,
                "iteration_begin": 0,
                "iteration_end": rounds,
                "missing": math.nan,
                "strict_shape": False,
                "cache_id": 0,
            }
        ).encode()

    def predict(
        self, features: NDArray[np.float32], base_margins: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the predictions for contiguous features, with base margins, float32 (n, k)."""
        if base_margins is not None:
            self._set_base_margins(features, base_margins)
        buffers = self._buffers
        arguments = self._booster.handle, _describe(features), self._options
        if self._call(*arguments, buffers.proxy, *buffers.results):
            raise self._build_error()
        shape = buffers.shape[: buffers.dimensions.value]
        # The next call of this thread overwrites the values, so they are copied.
        copied = ctypes.string_at(buffers.values, FLOAT_BYTES * math.prod(shape))
        return np.frombuffer(copied, dtype=np.float32).reshape(shape)

    def _set_base_margins(
        self, features: NDArray[np.float32], base_margins: NDArray[np.float32]
    ) -> None:
        """Set the base margins of this thread's next prediction, which is of these features."""
        library, proxy = self._library, self._buffers.proxy
        # The proxy checks the number of margins against the rows that it has.
        if library.XGProxyDMatrixSetDataDense(
            proxy, _describe(features)
        ) or library.XGDMatrixSetInfoFromInterface(proxy, b"base_margin", _describe(base_margins)):
            raise self._build_error()

    def _build_error(self) -> xgboost.core.XGBoostError:
        message: bytes = self._library.XGBGetLastError()
        return xgboost.core.XGBoostError(message.decode(errors="replace"))


def _describe(matrix: NDArray[np.float32]) -> bytes:
    return ARRAY_INTERFACE % (matrix.__array_interface__["data"][0], *matrix.shape)


class _CallBuffers(threading.local):
    """One thread's proxy DMatrix, and the variables that XGBoost writes its results to."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self.proxy = ctypes.c_void_p()
        if library.XGProxyDMatrixCreate(byref(self.proxy)):
            raise xgboost.core.XGBoostError(library.XGBGetLastError().decode(errors="replace"))
        self.shape = UINT64_POINTER()
        self.dimensions = ctypes.c_uint64()
        self.values = FLOAT_POINTER()
        self.results = byref(self.shape), byref(self.dimensions), byref(self.values)

    def __del__(self) -> None:
        self._library.XGDMatrixFree(self.proxy)
