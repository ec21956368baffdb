"""The kernel in tests: where it must be in use, and models and rows that it could get wrong."""

import json
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from serve.model.kernel.extension import VARIANTS, load_extension
from serve.model.kernel.ubjson import parse
from serve.model.model import Model, load_model
from serve.settings import Settings
from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.server import ROOT

EXTENSION = ROOT / "kernel" / "build" / "_forest.abi3.so"
HEADER = Path(sysconfig.get_path("include"), "Python.h")
ROWS = 500
MAX_FLOAT = np.finfo(np.float32).max
WIDTH = 6
CODES = 9  # of a categorical column
OBJECTIVES: tuple[dict[str, Any], ...] = (
    {"objective": "reg:squarederror"},
    {"objective": "binary:logistic"},
    {"objective": "binary:logitraw", "base_score": 0.3},
    {"objective": "binary:hinge"},
    {"objective": "multi:softprob", "num_class": 3},
    {"objective": "multi:softmax", "num_class": 4},
    {"objective": "count:poisson"},
    {"objective": "reg:gamma"},
    {"objective": "reg:tweedie", "tweedie_variance_power": 1.3},
    {"objective": "survival:cox"},
    {"objective": "rank:pairwise"},
    {"objective": "reg:absoluteerror"},
    {"objective": "reg:pseudohubererror"},
    {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]},
)
SHAPES: dict[str, dict[str, Any]] = {
    "leaves only": {"max_depth": 3, "gamma": 1e30},
    "shallow": {"max_depth": 3},
    "deepest that is evaluated": {"max_depth": 8, "min_child_weight": 0},
    "deep": {"max_depth": 14, "min_child_weight": 0},
    "lossguide": {"grow_policy": "lossguide", "max_leaves": 60, "max_depth": 0},
    "classes": {"objective": "multi:softprob", "num_class": 11},
    "dart": {"booster": "dart", "rate_drop": 0.5, "one_drop": 1},
    "exact": {"tree_method": "exact", "max_depth": 7, "min_child_weight": 0},
}
SPECIAL_VALUES = (
    *(0.0, -0.0, 1e-45, -1e-45, 1.17e-38, -1.17e-38, 3.4e38, -3.4e38, np.inf, -np.inf, np.nan),
    *(1e30, -1e30, 0.5, -1, 1, 2, 31, 32, 33, 16777215, 16777216, 1e9, 2147483648, 4294967296),
)


def require_kernel() -> None:
    """Skip a test where the kernel cannot be built; fail it where it was not, although it can."""
    if EXTENSION.exists():
        return
    if shutil.which("cc") and HEADER.exists():
        pytest.fail("the kernel is not built: run make kernel")
    # The kernel is optional: such a machine serves with XGBoost, and has nothing to compare. CI and
    # the image have a compiler.
    pytest.skip("the kernel needs a C compiler and Python.h")


def list_supported_variants() -> list[str]:
    """Return the variants of the kernel that this processor supports."""
    return [variant for variant in VARIANTS if load_extension().supports(variant)]


def train_generated(seed: int) -> xgboost.Booster:
    """Return a booster of random type, shape and objective."""
    random = np.random.default_rng(seed)
    features = make_features(random)
    types = ["c" if column < random.integers(0, 3) else "q" for column in range(WIDTH)]
    parameters = _choose_parameters(random, categorical="c" in types)
    for column, type_ in enumerate(types):
        if type_ == "c":
            features[:, column] = random.integers(0, CODES, ROWS)
    features[random.random(features.shape) < random.choice([0, 0.1, 0.5])] = np.nan
    targets = 2 if parameters["objective"] == "reg:squarederror" and random.random() < 0.3 else 1
    target: NDArray[Any] = random.random((ROWS, targets)) + 0.1
    if classes := parameters.get("num_class", 2 * parameters["objective"].startswith("binary")):
        target = random.integers(0, classes, (ROWS, 1))
    matrix = xgboost.DMatrix(
        features, target, feature_types=types, enable_categorical=True, nthread=1
    )
    rounds = int(random.choice([1, 3, 10, 40]))
    with xgboost.config_context(verbosity=0):
        return xgboost.train({**parameters, "seed": seed, "nthread": 1}, matrix, rounds)


def make_features(random: np.random.Generator) -> NDArray[np.float32]:
    """Return features of many magnitudes, some with many ties, float32 (ROWS, WIDTH)."""
    features = random.standard_normal((ROWS, WIDTH)) * 10.0 ** random.integers(-40, 36, WIDTH)
    features[:, random.random(WIDTH) < 0.3] = random.integers(0, 3, (ROWS, 1))
    return features.astype(np.float32)


def _choose_parameters(random: np.random.Generator, *, categorical: bool) -> dict[str, Any]:
    methods = ["hist", "approx"] if categorical else ["hist", "approx", "exact"]
    parameters: dict[str, Any] = {
        **random.choice(np.array(OBJECTIVES, dtype=object)),
        "tree_method": str(random.choice(methods)),
        "max_depth": int(random.choice([1, 2, 3, 5, 6, 7, 8, 9, 12])),
        "min_child_weight": 0,
        "max_bin": int(random.choice([16, 256, 600])),
        "learning_rate": float(random.choice([0.05, 0.3, 1.0])),
        "max_cat_to_onehot": int(random.choice([1, 4, 100])),
        "num_parallel_tree": int(random.choice([1, 1, 1, 3])),
        "subsample": 0.8,
    }
    if parameters["tree_method"] == "hist" and random.random() < 0.3:
        parameters |= {"grow_policy": "lossguide", "max_leaves": 40, "max_depth": 0}
    if random.random() < 0.25:
        parameters |= {"booster": "dart", "rate_drop": 0.3, "one_drop": 1}
    return parameters


def make_hostile_rows(booster: xgboost.Booster, rows: int, seed: int) -> NDArray[np.float32]:
    """Return rows of thresholds, their neighbors, NaNs of several payloads and special values."""
    random = np.random.default_rng(seed)
    features = (2 * random.standard_normal((rows, booster.num_features()))).astype(np.float32)
    for column, thresholds in find_thresholds(booster).items():
        values = random.choice(thresholds, rows)
        neighbors = np.nextafter(
            values, random.choice(np.array([-np.inf, np.inf], np.float32), rows)
        )
        values = np.where(random.random(rows) < 0.4, values, neighbors)
        features[:, column] = np.where(random.random(rows) < 0.7, values, features[:, column])
    special = random.choice(np.array(SPECIAL_VALUES, dtype=np.float32), features.shape)
    features = np.where(random.random(features.shape) < 0.2, special, features)
    features[random.random(rows) < 0.1] = np.nan
    if is_dart(booster):
        features = features.clip(-MAX_FLOAT, MAX_FLOAT)
    bits = features.view(np.uint32)
    payloads = random.choice(np.array([0x7FC00000, 0xFFC00000, 0x7FC12345], np.uint32), bits.shape)
    bits[:] = np.where(np.isnan(features), payloads, bits)
    return features


def predict_hostile(booster: xgboost.Booster, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return XGBoost's own predictions for rows that may contain infinity."""
    with xgboost.config_context(verbosity=0):
        if is_dart(booster):
            return predict_with_xgboost(booster, rows)
        predictions: NDArray[np.float32] = booster.inplace_predict(rows, validate_features=False)
    return predictions


def is_dart(booster: xgboost.Booster) -> bool:
    """Return whether a booster is a dart booster, which it is until XGBoost 3.3.

    It predicts other numbers in place, and a DMatrix rejects infinity.
    """
    learner: Any = json.loads(booster.save_config())["learner"]
    return bool(learner["gradient_booster"]["name"] == "dart")


def find_thresholds(booster: xgboost.Booster) -> dict[int, NDArray[np.float32]]:
    """Return the thresholds of each column, or the categories in its splits."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    found: dict[int, list[float]] = {}
    gradient_booster = learner["gradient_booster"]
    for tree in gradient_booster.get("gbtree", gradient_booster)["model"]["trees"]:
        for left, column, threshold in zip(
            tree["left_children"], tree["split_indices"], tree["split_conditions"], strict=True
        ):
            if left >= 0:
                found.setdefault(column, []).append(threshold)
        for node, first, size in zip(
            *(tree[f"categories_{key}"] for key in ("nodes", "segments", "sizes")), strict=True
        ):
            categories = tree["categories"][first : first + size]
            found[tree["split_indices"][node]] += categories
    return {column: np.array(values, dtype=np.float32) for column, values in found.items()}


def train_shape(shape: str) -> xgboost.Booster:
    features = random_features(600, 5)
    classes = SHAPES[shape].get("num_class")
    target = np.random.default_rng(2).integers(0, classes, 600) if classes else None
    return train(features, target, **SHAPES[shape])


def load(booster: xgboost.Booster, folder: Path, kernel: str = "auto") -> Model:
    return load_model(Settings(model_folder=save_artifact(booster, folder), kernel=kernel))


def parse_learner(booster: xgboost.Booster) -> Any:
    return parse(bytes(booster.save_raw("ubj")))["learner"]


def assert_same_bits(predictions: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    np.testing.assert_array_equal(predictions.view(np.uint32), expected.view(np.uint32))
