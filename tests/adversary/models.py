"""Model: an artifact that a server serves, its columns and settings, and what it expects."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost
from numpy.typing import NDArray

from tests.adversary.columns import Column

OUTPUT_KEYS, DEFAULT_ACCEPT = "SAGEMAKER_INFERENCE_OUTPUT", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
VOTING_OBJECTIVES = ("multi:softmax", "binary:hinge")


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model.

    Attributes:
        files: the model's files; an ensemble has several.
        types: XGBoost's feature types.
        splits: the thresholds of each column in the trees.
        rounds: the number of rounds that predict, or None for all.
        environment: the settings of its server.

    """

    name: str
    files: tuple[Path, ...]
    columns: tuple[Column, ...]
    names: tuple[str, ...] | None
    types: tuple[str, ...]
    splits: tuple[tuple[float, ...], ...]
    objective: str
    classes: int
    libsvm_base: int
    rounds: int | None
    environment: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.files[0].parent

    @property
    def output_keys(self) -> list[str]:
        return [key for key in self.environment.get(OUTPUT_KEYS, "").split(",") if key]

    @property
    def default_accept(self) -> str | None:
        return self.environment.get(DEFAULT_ACCEPT)

    @property
    def row_errors(self) -> bool:
        return self.environment.get("SERVE_ROW_ERRORS") == "true"

    def load(self) -> list[xgboost.Booster]:
        """Return the boosters, which XGBoost itself reads from the files."""
        with xgboost.config_context(verbosity=0):
            return [
                xgboost.Booster({"nthread": 1}, model_file=bytearray(file.read_bytes()))
                for file in self.files
            ]

    def predict(
        self, boosters: list[xgboost.Booster], features: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        """Return what Booster.predict returns for each booster, float32 (n,) or (n, k)."""
        matrix = xgboost.DMatrix(
            features,
            missing=np.nan,
            feature_types=list(self.types),
            enable_categorical=True,
            nthread=1,
        )
        limits = {} if self.rounds is None else {"iteration_range": (0, self.rounds)}
        with xgboost.config_context(verbosity=0):
            return [
                booster.predict(matrix, validate_features=False, **limits) for booster in boosters
            ]


def find_splits(booster: xgboost.Booster, width: int) -> tuple[tuple[float, ...], ...]:
    """Return the thresholds of each column in a booster's trees."""
    found: list[set[float]] = [set() for _ in range(width)]
    trees = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    trees = trees.get("gbtree", trees)["model"].get("trees", [])
    for tree in trees:
        nodes = zip(
            tree["left_children"],
            tree["split_indices"],
            tree["split_conditions"],
            tree["split_type"],
            strict=True,
        )
        for left, column, condition, is_categorical in nodes:
            if left >= 0 and not is_categorical:
                found[column].add(float(np.float32(condition)))
    return tuple(tuple(sorted(column)) for column in found)
