"""Choose how a booster predicts: by the kernel, if it predicts the same bits, or by XGBoost."""

import threading

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.model.kernel.extension import choose_variant
from serve.model.kernel.forest import build_kernel_predictor
from serve.model.kernel.unsupported import Unsupported
from serve.model.native_predict import Predictor, build_predictor


def choose_predictor(
    booster: xgboost.Booster, booster_type: str, rounds: int, kernel: str
) -> tuple[Predictor, str]:
    """Return the predictor of a booster's first rounds, and its name for the operator.

    ``kernel`` is the setting SERVE_KERNEL. Raises BadSetting if it names a variant of the kernel
    that cannot run here.
    """
    if booster_type == "gbtree":
        predictor = build_predictor(booster, rounds)
    else:
        predictor = _build_dmatrix_predictor(booster, booster_type, rounds)
    try:
        variant = choose_variant(kernel)
        fast_predictor = build_kernel_predictor(booster, rounds, predictor, variant)
    except Unsupported as reason:
        return predictor, f"XGBoost, because {reason}"
    return fast_predictor, f"kernel ({variant})"


def _build_dmatrix_predictor(booster: xgboost.Booster, booster_type: str, rounds: int) -> Predictor:
    """Return a predictor that calls Booster.predict.

    XGBoost's in-place prediction does not support gblinear, and rounds differently for dart.
    Booster.predict is not guaranteed to be thread-safe, so a lock serializes the calls.
    """
    # A linear booster has no rounds to select.
    limits = {} if booster_type == "gblinear" else {"iteration_range": (0, rounds)}
    lock = threading.Lock()

    def predict(features: NDArray[np.float32]) -> NDArray[np.float32]:
        with lock:
            predictions: NDArray[np.float32] = booster.predict(
                xgboost.DMatrix(features, nthread=1), validate_features=False, **limits
            )
        return predictions

    return predict
