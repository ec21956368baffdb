"""The sample payloads, and the predictions of the sample model by XGBoost itself."""

import csv
import json
from functools import cache

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost
from tests.support.server import ROOT

ARTIFACT = ROOT / "model" / "artifact"
PAYLOADS = ROOT / "local_test" / "payloads"

FEATURES = json.loads((ARTIFACT / "schema.json").read_text())["features"]
NAMES = [feature["name"] for feature in FEATURES]
CSV = (PAYLOADS / "diamonds.csv").read_text()
ROWS = list(csv.reader(CSV.splitlines()))
# The rows for numeric media types: a category is sent as its code.
CODED = np.array(
    [
        [
            feature["categories"].index(cell) if "categories" in feature else float(cell)
            for feature, cell in zip(FEATURES, row, strict=True)
        ]
        for row in ROWS
    ]
)
OBJECTS = json.loads((PAYLOADS / "diamonds.json").read_text())["instances"]


def expected(rows: list[list[str]] | None = None) -> NDArray[np.float32]:
    """Return XGBoost's predictions for rows of text, by default for the sample payload's."""
    return _expected_for_sample() if rows is None else _predict(rows)


@cache
def _expected_for_sample() -> NDArray[np.float32]:
    predictions = _predict(ROWS)
    predictions.setflags(write=False)
    return predictions


def _predict(rows: list[list[str]]) -> NDArray[np.float32]:
    frame = pd.DataFrame(rows, columns=NAMES)
    for feature in FEATURES:
        name = feature["name"]
        if feature["type"] == "c":
            frame[name] = pd.Categorical(frame[name], categories=feature["categories"])
        else:
            frame[name] = pd.to_numeric(frame[name])
    return predict_with_xgboost(xgboost.Booster(model_file=ARTIFACT / "model.ubj"), frame)
