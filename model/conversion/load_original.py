"""Load a model with an older XGBoost, to save it in a current format and to predict with it.

Usage: load_original.py FOLDER

FOLDER contains ``booster``, the model's bytes, and ``original.json``, what else is known of it.
The program reads commands from standard input, one a line, and prints an empty line after each:

- ``save`` writes model.ubj;
- ``predict ROUNDS`` reads rows.npy and writes predictions.npy. A Booster predicts with its first
  ROUNDS rounds, or with all if this is 0, and an estimator with the rounds that it chooses itself.

It runs in an environment of its own, so it imports nothing else of this project.
"""

import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

# The time and source position that XGBoost's C++ code puts before a message.
LOG_PREFIX = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+: (?:Check failed: )?")


def main() -> None:
    """Run the commands; print one line and exit with 1 if one fails."""
    warnings.simplefilter("ignore")
    xgboost.set_config(verbosity=0)
    try:
        run_commands(Path(sys.argv[1]))
    except Exception as error:  # noqa: BLE001 - damaged models cause many
        sys.exit(LOG_PREFIX.sub("", str(error).partition("\n")[0]))


def run_commands(folder: Path) -> None:
    original = json.loads((folder / "original.json").read_text(encoding="utf-8"))
    booster = load_booster((folder / "booster").read_bytes(), original)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "save":
            save(booster, original, folder / "model.ubj")
        else:
            rows = np.load(folder / "rows.npy")
            rounds = int(arguments[0])
            np.save(folder / "predictions.npy", predict(booster, original, rows, rounds))
        print(flush=True)


def load_booster(content: bytes, original: dict[str, Any]) -> xgboost.Booster:
    """Return the booster, with the names, types and best iteration that its pickle kept apart."""
    booster = xgboost.Booster()
    if original["has_training_state"]:
        booster.__setstate__({"handle": bytearray(content)})
    else:
        booster.load_model(bytearray(content))
    for key in ("feature_names", "feature_types"):
        if original[key] is not None:
            setattr(booster, key, original[key])
    # The number of trees is what XGBoost before 1.4 predicted with, and 1.5.0 wrote a wrong
    # best_iteration for random forests.
    trees = original["best_trees"] or booster.attr("best_ntree_limit")
    if trees:
        booster.set_attr(best_iteration=str(int(trees) // count_parallel_trees(booster) - 1))
    return booster


def count_parallel_trees(booster: xgboost.Booster) -> int:
    """Return the number of trees that each round adds for a class."""
    config = json.loads(booster.save_config())["learner"]["gradient_booster"]
    parameters = config.get("gbtree", config).get("gbtree_model_param", {})
    return int(parameters.get("num_parallel_tree", 1))


def save(booster: xgboost.Booster, original: dict[str, Any], target: Path) -> None:
    """Save the booster, for an estimator with the attribute that its save_model adds."""
    if original["estimator"]:
        kinds = ("classifier", "ranker", "regressor")
        kind = next((kind for kind in kinds if kind in original["estimator"].lower()), "regressor")
        booster.set_attr(scikit_learn=json.dumps({"_estimator_type": kind}))
    booster.save_model(target)
    # A damaged model may crash a process when it predicts: this one, which reports it.
    saved = xgboost.Booster(model_file=target)
    row = np.zeros((1, saved.num_features()))
    matrix = xgboost.DMatrix(row, feature_types=saved.feature_types)
    saved.predict(matrix, validate_features=False)


def predict(
    booster: xgboost.Booster, original: dict[str, Any], rows: np.ndarray, rounds: int
) -> Any:
    """Return what the original predicts by default, for a classifier its probabilities."""
    if not original["estimator"]:
        matrix = xgboost.DMatrix(rows, feature_types=booster.feature_types)
        limits = {"iteration_range": (0, rounds)} if rounds else {}
        return booster.predict(matrix, validate_features=False, **limits)
    estimator = rebuild_estimator(booster, original)
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(rows)
    return estimator.predict(rows)


def rebuild_estimator(booster: xgboost.Booster, original: dict[str, Any]) -> xgboost.XGBModel:
    """Return an estimator of this XGBoost with the original's booster and parameters.

    An older version's pickled estimator does not load, or predicts with other rounds.
    """
    config = json.loads(booster.save_config())["learner"]["gradient_booster"]
    estimator = getattr(xgboost, original["estimator"], xgboost.XGBModel)(
        missing=original["missing"], booster=config["name"], feature_types=booster.feature_types
    )
    estimator._Booster = booster  # noqa: SLF001 - what fit sets
    if original["class_count"]:
        estimator.n_classes_ = original["class_count"]
    return estimator


if __name__ == "__main__":
    main()
