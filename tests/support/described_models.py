"""Ten kinds of models, each with the training data as the CSV sample that describes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost

from tests.support.boosters import save_artifact, train

ROWS = 200
RANDOM = np.random.default_rng(7)
MATRIX = RANDOM.normal(size=(ROWS, 3)).round(2).astype(np.float32)
TOTAL = MATRIX.sum(axis=1)
LEVELS = np.digitize(TOTAL, [-1, 1])
SPECIES = ["setosa", "versicolor", "virginica"]


@dataclass(frozen=True, slots=True)
class Described:
    """A booster, its training data without the target, and the target as a person has it.

    ``names`` is false if the booster itself has no names. ``classes`` are the expected names.
    """

    booster: xgboost.Booster
    frame: pd.DataFrame
    target: list[Any]
    names: bool = True
    classes: list[Any] = field(default_factory=list)

    def save(self, folder: Path) -> tuple[Path, Path]:
        """Save the artifact and the sample; return both paths."""
        artifact = save_artifact(self.booster, folder / "artifact")
        sample = folder / "train data.csv"
        self.frame.assign(target=self.target).to_csv(sample, index=False)
        return artifact, sample


def _frame(names: tuple[str, ...] = ("a", "b", "c")) -> pd.DataFrame:
    return pd.DataFrame(MATRIX, columns=list(names))


def regression() -> Described:
    return Described(train(_frame(), TOTAL), _frame(), list(TOTAL))


def binary() -> Described:
    booster = train(_frame(), TOTAL > 0, objective="binary:logistic")
    target = ["yes" if is_positive else "no" for is_positive in TOTAL > 0]
    return Described(booster, _frame(), target, classes=["no", "yes"])


def multi_class() -> Described:
    booster = train(_frame(), LEVELS, objective="multi:softprob", num_class=3)
    return Described(booster, _frame(), [SPECIES[code] for code in LEVELS], classes=SPECIES)


def categorical() -> Described:
    frame = _frame().assign(
        city=pd.Categorical(RANDOM.choice(["東京", "Köln", "Lima"], ROWS)),
        new=RANDOM.random(ROWS) > 0.5,
    )
    target = TOTAL + (frame["city"] == "Lima") * 3 - (frame["city"] == "東京") * 3
    return Described(train(frame, target), frame, list(target))


def missing_values() -> Described:
    frame = _frame()
    frame.loc[::7, "b"] = np.nan
    return Described(train(frame, TOTAL), frame, list(TOTAL))


def without_names(folder: Path) -> Described:
    """Train from a libsvm file, as XGBoost's command line does."""
    path = folder / "train.libsvm"
    rows = [
        f"{target} " + " ".join(f"{index}:{value}" for index, value in enumerate(row))
        for target, row in zip(TOTAL, MATRIX, strict=True)
    ]
    path.write_text("\n".join(rows))
    with xgboost.config_context(verbosity=0):  # reading text is deprecated
        matrix = xgboost.DMatrix(f"{path}?format=libsvm")
    booster = xgboost.train({"max_depth": 4, "nthread": 1}, matrix, 10)
    return Described(booster, _frame(), list(TOTAL), names=False)


def dart() -> Described:
    booster = train(_frame(), TOTAL > 0, booster="dart", objective="binary:hinge")
    return Described(booster, _frame(), list((TOTAL > 0).astype(int)), classes=[0, 1])


def ranking() -> Described:
    matrix = xgboost.DMatrix(_frame(), LEVELS, qid=np.arange(ROWS) // 10)
    booster = xgboost.train({"objective": "rank:ndcg", "nthread": 1}, matrix, 10)
    return Described(booster, _frame(), list(LEVELS))


def integers() -> Described:
    frame = pd.DataFrame(RANDOM.integers(-5, 90, (ROWS, 3)), columns=["age", "visits", "year"])
    target = frame["age"] * 2 + frame["visits"]
    return Described(train(frame, target), frame, list(target))


def unusual_names() -> Described:
    frame = _frame((" padded ", "sepal length (cm)", "花弁の長さ"))
    return Described(train(frame, TOTAL), frame, list(TOTAL))


MODELS: dict[str, Callable[..., Described]] = {
    function.__name__: function
    for function in (
        regression,
        binary,
        multi_class,
        categorical,
        missing_values,
        without_names,
        dart,
        ranking,
        integers,
        unusual_names,
    )
}


def describe(kind: str, folder: Path) -> Described:
    """Return the model of a kind."""
    return without_names(folder) if kind == "without_names" else MODELS[kind]()
