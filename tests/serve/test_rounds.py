"""Which boosting rounds predict, if the model has the attribute best_iteration."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, save_artifact, train
from tests.support.check import run_check
from tests.support.responses import scores
from tests.support.server import running

FEATURES = np.random.default_rng(3).normal(size=(400, 3)).round(2)
TARGET = FEATURES @ [3, 2, 1]
ROWS = FEATURES[:20]
BODY = "\n".join(",".join(map(repr, row)) for row in ROWS.tolist())


def train_rounds(rounds: int, best_iteration: str | None = None, **attributes: str) -> Any:
    booster = train(FEATURES, TARGET, rounds)
    booster.set_attr(best_iteration=best_iteration, **attributes)
    return booster


def predict(booster: xgboost.Booster, rounds: int) -> NDArray[np.float32]:
    predictions: NDArray[np.float32] = booster.predict(
        xgboost.DMatrix(ROWS), iteration_range=(0, rounds)
    )
    return predictions


# The number of rounds, best_iteration, and the number of rounds that predict.
JUDGED = [
    (30, "19", 20),  # the most usual patience
    (70, "19", 20),  # 50 rounds
    (100, "89", 90),  # training ended before the patience did
    (71, "19", 71),  # 51 rounds: nobody waits so long
    (100, "19", 100),  # a watch list of xgboost4j
    (121, "20", 21),  # a patience of 100 rounds
    (120, "19", 120),  # a watch list of xgboost4j whose best round looks like a patience of 100
    (10, "10", 10),  # beyond the last round
    (10, "-1", 10),
    (10, "abc", 10),
    (10, "", 10),
]


def test_best_iteration_counts_where_an_early_stop_is_plausible(tmp_path: Path) -> None:
    """Up to 50 rounds, or exactly a usual long patience, are left out; otherwise none are.

    Each model whose two readings differ has a warning that names the setting.
    """
    for number, (rounds, best_iteration, _) in enumerate(JUDGED):
        artifact = save_artifact(train_rounds(rounds, best_iteration), tmp_path) / "model.ubj"
        artifact.rename(tmp_path / f"xgboost-model-{number}")

    report = json.loads(run_check(tmp_path, "--json").stdout)

    assert list(report["ensemble"].values()) == [used for _, _, used in JUDGED]
    warnings = [warning for warning in report["warnings"] if "SERVE_EARLY_STOPPING" in warning]
    assert len(warnings) == len(JUDGED)
    for number, warning in enumerate(warnings):
        assert f"xgboost-model-{number}: " in warning


def test_an_early_stop_is_honored(tmp_path: Path) -> None:
    """A model that stopped early predicts up to its best iteration; the log warns about it."""
    matrix = xgboost.DMatrix(FEATURES[:200], TARGET[:200])
    noise = np.random.default_rng(4).normal(size=200)
    validation = xgboost.DMatrix(FEATURES[200:], TARGET[200:] + noise)
    booster = xgboost.train(
        {"nthread": 1},
        matrix,
        500,
        evals=[(validation, "validation")],
        early_stopping_rounds=10,
        verbose_eval=False,
    )
    best = booster.best_iteration + 1

    assert best < booster.num_boosted_rounds() < 500
    with running(save_artifact(booster, tmp_path)) as server:
        np.testing.assert_array_equal(scores(server.post(BODY)), predict(booster, best))
    events = server.events()
    started = next(event for event in events if event["event"] == "server started")
    warning = next(event for event in events if "SERVE_EARLY_STOPPING" in str(event))
    assert started["rounds_used"] == best < started["rounds"]
    assert f"the first {best} of {started['rounds']} rounds predict" in warning["warning"]


@pytest.mark.parametrize(("setting", "rounds"), [("", 100), ("false", 100), ("true", 20)])
def test_a_watch_list_is_no_early_stop(tmp_path: Path, setting: str, rounds: int) -> None:
    """xgboost4j's best_iteration of a watch list leaves no round out, unless the setting is true.

    Only without the setting does the log warn.
    """
    booster = train_rounds(100, "19")
    with running(save_artifact(booster, tmp_path), SERVE_EARLY_STOPPING=setting) as server:
        np.testing.assert_array_equal(scores(server.post(BODY)), predict(booster, rounds))
    warnings = [event for event in server.events() if "SERVE_EARLY_STOPPING" in str(event)]

    assert len(warnings) == (0 if setting else 1)


def test_an_estimator_predicts_with_its_best_iteration(tmp_path: Path) -> None:
    """A scikit-learn estimator's file predicts up to best_iteration, as the estimator does."""
    booster = train_rounds(100, "19", scikit_learn='{"_estimator_type": "regressor"}')
    with running(save_artifact(booster, tmp_path)) as server:
        np.testing.assert_array_equal(scores(server.post(BODY)), predict(booster, 20))


def test_continued_training_uses_the_added_rounds(tmp_path: Path) -> None:
    """Rounds added after an early stop predict, although best_iteration stays in the file."""
    first = train_rounds(30, "19")
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(FEATURES, TARGET), 60, xgb_model=first)

    assert booster.attr("best_iteration") == "19"
    with running(save_artifact(booster, tmp_path)) as server:
        np.testing.assert_array_equal(scores(server.post(BODY)), predict(booster, 90))


def test_a_linear_booster_has_no_rounds_to_leave_out(tmp_path: Path) -> None:
    """The weights of gblinear are those of the last round, so best_iteration has no effect."""
    booster = train(FEATURES, TARGET, 20, booster="gblinear")
    booster.set_attr(best_iteration="3")
    expected = predict_with_xgboost(booster, ROWS)
    with running(save_artifact(booster, tmp_path)) as server:
        np.testing.assert_array_equal(scores(server.post(BODY)), expected)

    assert not [event for event in server.events() if "SERVE_EARLY_STOPPING" in str(event)]


def test_check_warns_about_rounds_left_out(tmp_path: Path) -> None:
    """`check` prints how many rounds predict, and the setting that decides it."""
    report = run_check(save_artifact(train_rounds(30, "19"), tmp_path)).stdout

    assert "the first 20 of 30 rounds predict" in report
    assert "SERVE_EARLY_STOPPING" in report
