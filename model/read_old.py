"""Load a model with an older XGBoost, and write it as .ubj with its predictions for random rows.

Usage: read_old.py SOURCE TARGET SAMPLES

convert.py runs this in a temporary environment, after the user has confirmed to trust a pickle.
"""

import pickle
import sys
from pathlib import Path

import numpy as np
import xgboost

ROWS = 1000
CATEGORIES = 4
SEED = 20261122


def main() -> None:
    """Write the model to TARGET, and rows and predictions to SAMPLES."""
    source, target, samples = map(Path, sys.argv[1:])
    booster = load_booster(source)
    booster.save_model(target)
    rows = generate_rows(booster)
    matrix = xgboost.DMatrix(rows, feature_types=booster.feature_types)
    np.savez(samples, rows=rows, predictions=booster.predict(matrix, validate_features=False))


def load_booster(source: Path) -> xgboost.Booster:
    """Return the booster of a binary model, a pickled Booster or a pickled scikit-learn model."""
    content = source.read_bytes()
    if content[:1] != b"\x80":
        return xgboost.Booster(model_file=bytearray(content))
    model = pickle.loads(content)  # noqa: S301  # the user confirmed to trust it
    return model if isinstance(model, xgboost.Booster) else model.get_booster()


def generate_rows(booster: xgboost.Booster) -> np.ndarray:
    """Return random float32 rows of many magnitudes, with missing values and valid categories."""
    random = np.random.default_rng(SEED)
    shape = (ROWS, booster.num_features())
    rows = random.standard_normal(shape) * 10.0 ** random.integers(-2, 3, shape)
    for index, type_ in enumerate(booster.feature_types or []):
        if type_ == "c":
            rows[:, index] = random.integers(0, CATEGORIES, ROWS)
    rows[random.random(shape) < 0.1] = np.nan
    return rows.astype(np.float32)


if __name__ == "__main__":
    main()
