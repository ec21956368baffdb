"""Write a small model in every format of the installed XGBoost, with its predictions.

The files in this directory were written by XGBoost 1.7.6, 2.1.4, 3.0.5, 3.2.0 and 3.4.1.
"""

import json
import pickle
from pathlib import Path

import numpy as np
import xgboost

NAMES = ["a", "b", "c", "d"]


def main() -> None:
    """Write VERSION.json, .ubj, -xgboost-model, .pkl and .expected.json beside this script."""
    here = Path(__file__).resolve().parent
    version = ".".join(xgboost.__version__.split(".")[:2])
    random = np.random.RandomState(0)
    rows = random.rand(200, 4).astype("float32")
    rows[::7, 1] = np.nan
    target = 3 + 5 * rows[:, 0] + random.rand(200)
    parameters = {"max_depth": 3, "nthread": 1, "objective": "reg:squarederror"}
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, target, feature_names=NAMES), 5)
    for name in (f"{version}.json", f"{version}.ubj", f"{version}-xgboost-model"):
        booster.save_model(here / name)
    (here / f"{version}.pkl").write_bytes(pickle.dumps(booster))
    sample = random.rand(20, 4).astype("float32")
    sample[::5, 2] = np.nan
    expected = {
        "rows": [[None if np.isnan(value) else float(value) for value in row] for row in sample],
        "expected": booster.predict(xgboost.DMatrix(sample, feature_names=NAMES)).tolist(),
    }
    (here / f"{version}.expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main()
