"""Compare the original's predictions with those of the server for the converted model."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost
from numpy.typing import NDArray

from model.conversion.errors import CannotConvert
from model.conversion.original_model import OriginalModel
from model.conversion.rows import generate_rows
from serve.errors import InvocationError
from serve.inference import infer
from serve.invocation import Invocation
from serve.model.model import Model, load_model
from serve.settings import Settings

# Of predictions up to 1, the difference itself; of larger ones, in proportion to them.
MAX_DIFFERENCE = 1e-6
NPY = "application/x-npy"


@dataclass(frozen=True, slots=True)
class Proof:
    """The comparison of a converted model with the original, for rows, float32 (n, f)."""

    model: Model
    rows: NDArray[np.float32]
    largest_difference: float


def prove(original: OriginalModel, artifact: Path, missing: float) -> Proof:
    """Compare the predictions of the original with the server's, for the files of an artifact.

    ``missing`` is what the original treats as missing; NaN if it is a Booster. Raises CannotConvert
    if the predictions differ, and StartupError if the server does not start with the files.
    """
    model = load_model(Settings(model_folder=artifact))
    rows = generate_rows(model, missing)
    expected = original.predict(_replace_markers(rows, model, missing), _count_rounds(model))
    served = _predict_with_server(model, rows)
    if expected.ndim > served.ndim:
        expected = expected[:, 1]  # a binary classifier's second probability
    if expected.shape != served.shape:
        raise CannotConvert(
            f"the original predicts an array of shape {expected.shape}, "
            f"the server one of shape {served.shape}"
        )
    return Proof(model, rows, _measure_difference(served, expected))


def _replace_markers(
    rows: NDArray[np.float32], model: Model, missing: float
) -> NDArray[np.float32]:
    """Return the rows with NaN for missing values that schema.json knows, but not the original.

    DMatrix was given those in training.
    """
    markers = np.array([feature.missing_value for feature in model.schema.features], np.float32)
    is_unknown = (rows == markers) & (markers != np.float32(missing))
    return np.where(is_unknown, np.float32(np.nan), rows)


def _measure_difference(served: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the largest difference; raises CannotConvert if one is too large."""
    wide = expected.astype(np.float64)
    is_equal = (served == expected) | (np.isnan(served) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        differences = np.where(is_equal, 0, np.abs(served - wide))
        is_close = differences <= MAX_DIFFERENCE * np.maximum(1, np.abs(wide))
    largest = float(np.max(differences))
    if not np.all(is_close | is_equal):
        raise CannotConvert(
            f"XGBoost {xgboost.__version__} makes different predictions with the converted model "
            f"(largest difference {largest:g})"
        )
    return largest


def _count_rounds(model: Model) -> int:
    """Return the number of rounds that predict; 0 for a linear booster, which has none."""
    return 0 if model.booster_type == "gblinear" else model.rounds_used


def _predict_with_server(model: Model, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the predictions in the server's response to the rows."""
    payload = io.BytesIO()
    np.save(payload, rows)
    try:
        response = infer(model, Invocation(payload.getvalue(), NPY, {}, NPY))
    except InvocationError as error:
        raise CannotConvert(f"the server rejects rows for the converted model: {error}") from error
    predictions: NDArray[np.float32] = np.load(io.BytesIO(response.body))
    return predictions
