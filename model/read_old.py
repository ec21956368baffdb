"""Reads a model with the XGBoost of a throw-away environment, and writes it as .ubj with predictions for random rows.

Usage: read_old.py SOURCE TARGET PROOF; convert.py calls it, after it has asked whether a pickle is trusted.
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
    """Write TARGET and PROOF."""
    source, target, proof = map(Path, sys.argv[1:])
    booster = read(source)
    booster.save_model(target)
    rows = random_rows(booster)
    matrix = xgboost.DMatrix(rows, feature_types=booster.feature_types)
    np.savez(proof, rows=rows, predictions=booster.predict(matrix, validate_features=False))


def read(source: Path) -> xgboost.Booster:
    """Return the booster of a binary model, of a pickled Booster or of a pickled scikit-learn estimator."""
    content = source.read_bytes()
    if content[:1] != b"\x80":
        return xgboost.Booster(model_file=bytearray(content))
    model = pickle.loads(content)  # noqa: S301  # convert.py asked whether it is trusted
    return model if isinstance(model, xgboost.Booster) else model.get_booster()


def random_rows(booster: xgboost.Booster) -> np.ndarray:
    """Return random rows, float32, of many magnitudes and with missing values; whole numbers where codes are due."""
    random = np.random.default_rng(SEED)
    shape = (ROWS, booster.num_features())
    rows = random.standard_normal(shape) * 10.0 ** random.integers(-2, 3, shape)
    for place, type_ in enumerate(booster.feature_types or []):
        if type_ == "c":
            rows[:, place] = random.integers(0, CATEGORIES, ROWS)
    rows[random.random(shape) < 0.1] = np.nan
    return rows.astype(np.float32)


if __name__ == "__main__":
    main()
