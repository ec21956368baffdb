"""Small classifiers with a schema.json, to test the application with class labels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from tests.support.boosters import save_artifact, train

NAMES = ["length", "width"]
SPECIES = ["=setosa", "<b>bold</b>", "virginica"]
FEATURES = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)


def classifier(folder: Path, classes: list[str], **parameters: Any) -> xgboost.Booster:
    """Save a classifier and its schema.json in a directory; return its booster."""
    target = (FEATURES.sum(axis=1) > 0).astype(int) + (len(classes) > 2) * (FEATURES[:, 0] > 1)
    booster = train(FEATURES, target, names=NAMES, rounds=5, **parameters)
    save_artifact(booster, folder)
    features = [{"name": name, "type": "float", "missing": True} for name in NAMES]
    schema = {"features": features, "prediction": {"name": "species", "classes": classes}}
    (folder / "schema.json").write_text(json.dumps(schema))
    return booster


def with_classes(folder: Path, classes: list[str]) -> Path:
    """Return a new directory with a copy of a schema.json that lists these classes."""
    schema = json.loads((folder / "schema.json").read_text())
    schema["prediction"]["classes"] = classes
    copy = folder.with_name(f"{folder.name}-schema")
    copy.mkdir()
    (copy / "schema.json").write_text(json.dumps(schema))
    return copy
