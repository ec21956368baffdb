"""Several models that predict together."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.container.test_check import check
from tests.support.boosters import numbers, predictions, train
from tests.support.responses import scores, strict
from tests.support.server import refusal, running

FEATURES = numbers(200, 3, missing=0)
SOME = FEATURES[:50]
BODY = json.dumps(SOME.tolist())
RANDOM = np.random.default_rng(0)


def boosters(count: int, **parameters: Any) -> list[xgboost.Booster]:
    return [
        train(FEATURES, np.random.default_rng(seed).random(200), rounds=3 + seed % 2, **parameters)
        for seed in range(count)
    ]


def stored(members: list[xgboost.Booster], folder: Path) -> Path:
    """Save the members as xgboost-model-N in a folder; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, booster in enumerate(members):
        (folder / f"xgboost-model-{number}").write_bytes(booster.save_raw("ubj"))
    return folder


def mean(members: list[xgboost.Booster]) -> NDArray[np.float32]:
    due: NDArray[np.float32] = np.mean(
        [predictions(each, SOME).astype(np.float64) for each in members], axis=0
    ).astype(np.float32)
    return due


@pytest.mark.parametrize("count", [2, 3, 10])
def test_the_mean_of_the_members(tmp_path: Path, count: int) -> None:
    """4.9: files called xgboost-model-N predict together, as many as there are, and their spread can be had."""
    members = boosters(count)
    stored(members, tmp_path)
    with running(tmp_path) as server:
        got = scores(server.post(BODY, "application/json"))
        one = scores(server.post(json.dumps(SOME[:1].tolist()), "application/json"))
    with running(tmp_path, SAGEMAKER_INFERENCE_OUTPUT="predicted_score,spread") as server:
        rows = strict(server.post(BODY, "application/json").text)["predictions"]
    spread = np.std(
        [predictions(each, SOME).astype(np.float64) for each in members], axis=0
    ).astype(np.float32)

    np.testing.assert_array_max_ulp(got, mean(members))
    np.testing.assert_array_equal(one, got[:1])
    np.testing.assert_array_equal(
        np.array([row["predicted_score"] for row in rows], np.float32), got
    )
    np.testing.assert_allclose([row["spread"] for row in rows], spread, rtol=1e-6)
    started = next(event for event in server.events() if event["event"] == "started")
    assert started["ensemble"] == {
        f"xgboost-model-{number}": 3 + number % 2 for number in range(count)
    }


def test_the_mean_of_probabilities(tmp_path: Path) -> None:
    """Members with several outputs have the mean and the spread of each."""
    members = [
        train(
            FEATURES,
            np.random.default_rng(seed).integers(0, 3, 200),
            objective="multi:softprob",
            num_class=3,
        )
        for seed in (1, 2)
    ]
    with running(
        stored(members, tmp_path), SAGEMAKER_INFERENCE_OUTPUT="probabilities,spread,predicted_label"
    ) as server:
        rows = strict(server.post(BODY, "application/json").text)["predictions"]

    np.testing.assert_array_max_ulp(
        np.array([row["probabilities"] for row in rows], np.float32), mean(members)
    )
    assert {len(row["spread"]) for row in rows} == {3}
    assert [row["predicted_label"] for row in rows] == mean(members).argmax(axis=1).tolist()


@pytest.mark.parametrize(
    ("objective", "count"),
    [("multi:softmax", 2), ("multi:softmax", 5), ("binary:hinge", 2), ("binary:hinge", 3)],
)
def test_a_vote_where_members_predict_classes(tmp_path: Path, objective: str, count: int) -> None:
    """The class of most members, of a tie the smallest; AWS's image answers 500 to all of these."""
    classes = {"multi:softmax": 3, "binary:hinge": 2}[objective]
    parameters = {"num_class": 3} if classes > 2 else {}
    members = [
        train(
            FEATURES,
            np.random.default_rng(seed).integers(0, classes, 200),
            objective=objective,
            **parameters,
        )
        for seed in range(count)
    ]
    ballots = np.stack([predictions(each, SOME) for each in members]).astype(int)
    due = [np.bincount(column).argmax() for column in ballots.T]
    with running(
        stored(members, tmp_path), SAGEMAKER_INFERENCE_OUTPUT="predicted_label,spread"
    ) as server:
        rows = strict(server.post(BODY, "application/json").text)["predictions"]

    assert [row["predicted_label"] for row in rows] == due
    assert {row["spread"] for row in rows} == {None}
    assert (ballots[0] != ballots[1]).any()


def test_the_setting_decides_of_other_names(tmp_path: Path) -> None:
    """8.4: SAGEMAKER_INFERENCE_ENSEMBLE joins models of any names; false, in any spelling, refuses several of all names."""
    members = boosters(2)
    for name, booster in zip(("a.ubj", "b.ubj"), members, strict=True):
        booster.save_model(tmp_path / name)
    numbered = stored(members, tmp_path / "numbered")

    assert "leave the one that is meant" in refusal(numbered, SAGEMAKER_INFERENCE_ENSEMBLE="False")
    for path in numbered.iterdir():
        path.unlink()
    assert "SAGEMAKER_INFERENCE_ENSEMBLE=true" in refusal(tmp_path)
    with running(tmp_path, SAGEMAKER_INFERENCE_ENSEMBLE="True") as server:
        np.testing.assert_array_max_ulp(
            scores(server.post(BODY, "application/json")), mean(members)
        )


def test_one_numbered_file_is_a_model(tmp_path: Path) -> None:
    """An ensemble of one is no ensemble, and a plain name beside numbered ones is the model."""
    members = boosters(2)
    stored(members[:1], tmp_path)
    with running(tmp_path) as server:
        np.testing.assert_array_equal(
            scores(server.post(BODY, "application/json")), predictions(members[0], SOME)
        )
    stored(members, tmp_path)
    members[1].save_model(tmp_path / "model.ubj")
    with running(tmp_path) as server:
        np.testing.assert_array_equal(
            scores(server.post(BODY, "application/json")), predictions(members[1], SOME)
        )


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (train(FEATURES, objective="reg:gamma", rounds=2), "the objective of"),
        (train(numbers(200, 4), rounds=2), "the number of features of"),
        (train(FEATURES, names=["a", "b", "c"], rounds=2), "the column names of"),
        (train(FEATURES, types=["q", "i", "q"], rounds=2), "the columns of"),
        (train(FEATURES, RANDOM.random((200, 2)), rounds=2), "the number of outputs of"),
    ],
    ids=["objective", "width", "names", "types", "targets"],
)
def test_members_that_differ_are_refused(
    tmp_path: Path, other: xgboost.Booster, message: str
) -> None:
    """4.9: models that take or predict different things are no ensemble, and the message says what differs."""
    line = refusal(stored([train(FEATURES, rounds=2), other], tmp_path))

    assert message in line
    assert "xgboost-model-1" in line


def test_a_member_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """4.3: a numbered file that is none is not left out in silence."""
    stored(boosters(2), tmp_path)
    (tmp_path / "xgboost-model-2").write_bytes(b"binf")

    assert "xgboost-model-2 is in the binary format" in refusal(tmp_path)


def test_early_stopping_is_each_members_own(tmp_path: Path) -> None:
    """Each member predicts with its own best iteration."""
    members = boosters(2)
    members[0].set_attr(best_iteration="0")
    due = np.mean([predictions(members[0][:1], SOME), predictions(members[1], SOME)], axis=0)
    with running(stored(members, tmp_path)) as server:
        np.testing.assert_allclose(scores(server.post(BODY, "application/json")), due, rtol=1e-6)


def test_check_counts_all_members(tmp_path: Path) -> None:
    """7.6: the memory of all members counts, and a check lists them."""
    one = json.loads(check(stored(boosters(2), tmp_path / "two"), "--json").stdout)

    assert list(one["ensemble"]) == ["xgboost-model-0", "xgboost-model-1"]
    assert not one["ignored_files"]
