"""Pickle scikit-learn estimators of the installed XGBoost, with their predictions.

Usage: write_estimators.py NAME...

A name is that of a function below. The files in this directory were written by

- ``classifier``: XGBoost 0.72.1 on Python 3.6 and 1.2.1 on Python 3.8
- ``stopped``: XGBoost 0.90 on Python 3.7, with pandas
- ``forest``: XGBoost 1.5.0 on Python 3.8
- ``search``, ``pipeline`` and ``others``: XGBoost 3.0.5 and scikit-learn 1.9.1 on Python 3.11

It runs on all of these versions.
"""
# ruff: noqa: PLC0415 - some environments have only some of the packages

import json
import pickle
import sys
from pathlib import Path
from typing import Any, Callable  # noqa: UP035 - Python 3.6

import numpy as np
import xgboost

HERE = Path(__file__).resolve().parent
VERSION = ".".join(xgboost.__version__.split(".")[:2])
MISSING = -999
SMALL = {"n_estimators": 4, "max_depth": 3, "n_jobs": 1}


def main() -> None:
    for name in sys.argv[1:]:
        globals()[name]()


def classifier() -> None:
    """Write a classifier with three classes that are texts, which XGBoost before 1.6 encoded."""
    rows, target = generate()
    classes = np.array(["small", "medium", "large"])[np.digitize(target, [1.5, 2.5])]
    model = xgboost.XGBClassifier(**SMALL).fit(rows, classes)
    save("classifier.pkl", model, model.predict_proba)


def stopped() -> None:
    """Write a regressor with names and a missing value that stopped early, as a joblib file."""
    import joblib
    import pandas as pd

    rows, target = generate()
    rows[::3, 1] = MISSING
    names = ["a", "b", "c"]
    frame = pd.DataFrame(rows, columns=names)
    noise = np.random.RandomState(1).rand(len(target))
    model = xgboost.XGBRegressor(
        n_estimators=50, max_depth=3, learning_rate=0.5, missing=MISSING, n_jobs=1
    )
    fit = {"eval_set": [(frame[100:], (target + noise)[100:])], "verbose": False}
    model.fit(frame[:100], (target + noise)[:100], early_stopping_rounds=3, **fit)
    joblib.dump(model, str(HERE / f"{VERSION}-stopped.joblib"))
    # This version rejects NaN if another value is missing.
    save_expected("stopped", lambda rows: model.predict(pd.DataFrame(rows, columns=names)), MISSING)


def forest() -> None:
    """Write a random forest, whose best_iteration XGBoost 1.5.0 saved as 0."""
    rows, target = generate()
    model = xgboost.XGBRFRegressor(**SMALL).fit(rows, target)
    save("forest.pkl", model, model.predict)


def search() -> None:
    """Write a search over parameters of a regressor with a missing value."""
    from sklearn.model_selection import GridSearchCV

    rows, target = generate()
    rows[::3, 1] = MISSING
    model = GridSearchCV(
        xgboost.XGBRegressor(missing=MISSING, **SMALL), {"max_depth": [2, 3]}, cv=2
    )
    model.fit(rows, target)
    save("search.pkl", model, model.predict)


def pipeline() -> None:
    """Write a search over parameters of a pipeline, which cannot be converted."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    rows, target = generate()
    steps = [("scale", StandardScaler()), ("model", xgboost.XGBRegressor(**SMALL))]
    search = GridSearchCV(Pipeline(steps), {"model__max_depth": [1]}, cv=2)
    dump("search-pipeline.pkl", search.fit(rows, target))


def others() -> None:
    """Write what cannot be converted."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    rows, target = generate()
    tiny = {"n_estimators": 1, "max_depth": 1, "n_jobs": 1}
    regressor = xgboost.XGBRegressor(**tiny)
    pipeline = Pipeline([("scale", StandardScaler()), ("model", regressor)]).fit(rows, target)
    calibrated = CalibratedClassifierCV(xgboost.XGBClassifier(**tiny), cv=2)
    calibrated.fit(rows, (target > 2).astype(int))
    dump("pipeline.pkl", pipeline)
    dump("calibrated.pkl", calibrated)
    dump("scaler.pkl", pipeline[0])
    dump("dict.pkl", {"scaler": None, "booster": pipeline[1]})
    dump("list.pkl", [pipeline[1], pipeline[1]])
    dump("unfitted.pkl", xgboost.XGBRegressor())


def generate() -> "tuple[Any, Any]":
    random = np.random.RandomState(0)
    rows = random.rand(200, 3).astype("float32").round(3)
    return rows, (3 * rows[:, 0] + rows[:, 1]).astype("float32")


def save(name: str, model: Any, predict: Callable[[Any], Any]) -> None:
    dump(name, model)
    save_expected(name.partition(".")[0], predict)


def dump(name: str, model: Any) -> None:
    (HERE / f"{VERSION}-{name}").write_bytes(pickle.dumps(model, 4))


def save_expected(name: str, predict: Callable[[Any], Any], missing: float = np.nan) -> None:
    rows = np.random.RandomState(2).rand(30, 3).astype("float32").round(3)
    rows[::5, 2] = missing
    rows[::4, 1] = MISSING
    expected = {
        "rows": [[None if np.isnan(value) else float(value) for value in row] for row in rows],
        "expected": predict(rows).tolist(),
    }
    path = HERE / f"{VERSION}-{name}.expected.json"
    path.write_text(json.dumps(expected))


if __name__ == "__main__":
    main()
