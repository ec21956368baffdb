"""Generate rows that reach every side of a model's splits, to compare predictions."""

import json
from collections import defaultdict
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.model.booster_features import BoosterFeature, read_features
from serve.model.model import Model

ROWS = 1000
SEED = 20261122
# The share of each kind of value in a column; the rest is random numbers of many magnitudes.
SHARES = {"threshold": 0.2, "below": 0.1, "zero": 0.1, "nan": 0.1, "marker": 0.1}


def generate_rows(model: Model, missing: float) -> NDArray[np.float32]:
    """Return random rows, float32 (n, f), for a model that treats ``missing`` as a missing value.

    They contain the splits' thresholds and the numbers just below, zeros, NaN, the missing values
    and, for categories, each of their codes.
    """
    random = np.random.default_rng(SEED)
    thresholds = _read_thresholds(model.booster)
    columns = []
    in_booster = read_features(model.booster, model.file.writer_version, may_have_categories=False)
    for index, (known, feature) in enumerate(zip(in_booster, model.schema.features, strict=True)):
        if feature.type == "c":
            column = random.integers(0, _count_codes(known), ROWS).astype(np.float32)
        else:
            column = _generate_numbers(random, thresholds[index])
        markers = [marker for marker in {missing, feature.missing_value} if np.isfinite(marker)]
        if feature.may_be_missing:
            _add_missing(random, column, markers)
        else:
            _remove_missing(column, markers)
        columns.append(column)
    return np.stack(columns, axis=1)


def _count_codes(feature: BoosterFeature) -> int:
    return max(len(feature.whole_labels), feature.splits.code_count, 1)


def _generate_numbers(
    random: np.random.Generator, thresholds: NDArray[np.float32]
) -> NDArray[np.float32]:
    numbers = random.standard_normal(ROWS) * 10.0 ** random.integers(-2, 3, ROWS)
    numbers = numbers.astype(np.float32)
    _replace(random, numbers, "zero", 0)
    if thresholds.size:
        _replace(random, numbers, "threshold", random.choice(thresholds, ROWS))
        below = np.nextafter(thresholds, np.float32(-np.inf))
        _replace(random, numbers, "below", random.choice(below, ROWS))
    return numbers


def _add_missing(
    random: np.random.Generator, column: NDArray[np.float32], markers: list[float]
) -> None:
    _replace(random, column, "nan", np.nan)
    for marker in markers:
        _replace(random, column, "marker", marker)


def _remove_missing(column: NDArray[np.float32], markers: list[float]) -> None:
    numbers = np.array(markers, np.float32)
    column[np.isin(column, numbers)] = next(number for number in range(3) if number not in numbers)


def _replace(
    random: np.random.Generator, column: NDArray[np.float32], kind: str, values: Any
) -> None:
    """Replace a random share of a column in place."""
    chosen = random.random(len(column)) < SHARES[kind]
    column[chosen] = np.broadcast_to(values, column.shape)[chosen]


def _read_thresholds(booster: xgboost.Booster) -> dict[int, NDArray[np.float32]]:
    """Return the thresholds of each feature's splits on numbers."""
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    trees = model.get("gbtree", model).get("model", {}).get("trees", [])
    found: dict[int, set[float]] = defaultdict(set)
    for tree in trees:
        for feature, left_child, threshold in zip(
            tree["split_indices"], tree["left_children"], tree["split_conditions"], strict=True
        ):
            if left_child != -1 and np.isfinite(threshold):
                found[feature].add(threshold)
    thresholds = {feature: np.array(sorted(values)) for feature, values in found.items()}
    empty = np.array([], dtype=np.float32)
    return defaultdict(
        lambda: empty,
        {feature: values.astype(np.float32) for feature, values in thresholds.items()},
    )
