"""Ensembles: several models that predict together."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from tests.support.boosters import predict_with_xgboost, random_features, train
from tests.support.check import run_check
from tests.support.responses import scores, strict
from tests.support.server import running, startup_error

FEATURES = random_features(200, 3, missing=0)
SAMPLE = FEATURES[:50]
BODY = json.dumps(SAMPLE.tolist())
RANDOM = np.random.default_rng(0)


def train_members(count: int, **parameters: Any) -> list[xgboost.Booster]:
    return [
        train(FEATURES, np.random.default_rng(seed).random(200), rounds=3 + seed % 2, **parameters)
        for seed in range(count)
    ]


def save_members(members: list[xgboost.Booster], folder: Path) -> Path:
    """Save the members as xgboost-model-N in a directory; return the directory."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, booster in enumerate(members):
        (folder / f"xgboost-model-{number}").write_bytes(booster.save_raw("ubj"))
    return folder


def average(members: list[xgboost.Booster]) -> NDArray[np.float32]:
    """Return the mean of the members' predictions for the sample, as XGBoost predicts them."""
    scores_by_member = [
        predict_with_xgboost(member, SAMPLE).astype(np.float64) for member in members
    ]
    averages: NDArray[np.float32] = np.mean(scores_by_member, axis=0).astype(np.float32)
    return averages


@pytest.mark.parametrize("count", [2, 3, 10])
def test_an_ensemble_predicts_the_mean(tmp_path: Path, count: int) -> None:
    """4.9: Any number of xgboost-model-N files form an ensemble, with a spread as an output."""
    members = train_members(count)
    save_members(members, tmp_path)
    with running(tmp_path) as server:
        got = scores(server.post(BODY, "application/json"))
        single = scores(server.post(json.dumps(SAMPLE[:1].tolist()), "application/json"))
    with running(tmp_path, SAGEMAKER_INFERENCE_OUTPUT="predicted_score,spread") as server:
        rows = strict(server.post(BODY, "application/json").text)["predictions"]
    scores_by_member = [
        predict_with_xgboost(member, SAMPLE).astype(np.float64) for member in members
    ]
    spread = np.std(scores_by_member, axis=0).astype(np.float32)

    np.testing.assert_array_max_ulp(got, average(members))
    np.testing.assert_array_equal(single, got[:1])
    np.testing.assert_array_equal(
        np.array([row["predicted_score"] for row in rows], np.float32), got
    )
    np.testing.assert_allclose([row["spread"] for row in rows], spread, rtol=1e-6)
    started = next(event for event in server.events() if event["event"] == "server started")
    assert started["ensemble"] == {
        f"xgboost-model-{number}": 3 + number % 2 for number in range(count)
    }


def test_each_output_has_its_own_mean(tmp_path: Path) -> None:
    """For members with several outputs, each output has its own mean and spread."""
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
        save_members(members, tmp_path),
        SAGEMAKER_INFERENCE_OUTPUT="probabilities,spread,predicted_label",
    ) as server:
        rows = strict(server.post(BODY, "application/json").text)["predictions"]

    np.testing.assert_array_max_ulp(
        np.array([row["probabilities"] for row in rows], np.float32), average(members)
    )
    assert {len(row["spread"]) for row in rows} == {3}
    assert [row["predicted_label"] for row in rows] == average(members).argmax(axis=1).tolist()


@pytest.mark.parametrize(
    ("objective", "count"),
    [("multi:softmax", 2), ("multi:softmax", 5), ("binary:hinge", 2), ("binary:hinge", 3)],
)
def test_members_that_predict_classes_vote(tmp_path: Path, objective: str, count: int) -> None:
    """The most frequent class wins, in a tie the smallest; the AWS image returns 500."""
    class_count = {"multi:softmax": 3, "binary:hinge": 2}[objective]
    parameters = {"num_class": 3} if class_count > 2 else {}
    members = [
        train(
            FEATURES,
            np.random.default_rng(seed).integers(0, class_count, 200),
            objective=objective,
            **parameters,
        )
        for seed in range(count)
    ]
    votes = np.stack([predict_with_xgboost(member, SAMPLE) for member in members]).astype(int)
    winners = [np.bincount(row_votes).argmax() for row_votes in votes.T]
    with running(
        save_members(members, tmp_path), SAGEMAKER_INFERENCE_OUTPUT="predicted_label,spread"
    ) as server:
        rows = strict(server.post(BODY, "application/json").text)["predictions"]

    assert [row["predicted_label"] for row in rows] == winners
    assert {row["spread"] for row in rows} == {None}
    assert (votes[0] != votes[1]).any()


def test_a_setting_enables_or_disables_ensembles(tmp_path: Path) -> None:
    """8.4: SAGEMAKER_INFERENCE_ENSEMBLE true combines files of any name; false rejects several."""
    members = train_members(2)
    for name, booster in zip(("a.ubj", "b.ubj"), members, strict=True):
        booster.save_model(tmp_path / name)
    numbered = save_members(members, tmp_path / "numbered")

    assert "remove all but one" in startup_error(numbered, SAGEMAKER_INFERENCE_ENSEMBLE="False")
    for path in numbered.iterdir():
        path.unlink()
    assert "SAGEMAKER_INFERENCE_ENSEMBLE=true" in startup_error(tmp_path)
    with running(tmp_path, SAGEMAKER_INFERENCE_ENSEMBLE="True") as server:
        np.testing.assert_array_max_ulp(
            scores(server.post(BODY, "application/json")), average(members)
        )


def test_a_single_numbered_file_is_not_an_ensemble(tmp_path: Path) -> None:
    """A single xgboost-model-N file is a model; a standard name takes precedence over it."""
    members = train_members(2)
    save_members(members[:1], tmp_path)
    with running(tmp_path) as server:
        np.testing.assert_array_equal(
            scores(server.post(BODY, "application/json")), predict_with_xgboost(members[0], SAMPLE)
        )
    save_members(members, tmp_path)
    members[1].save_model(tmp_path / "model.ubj")
    with running(tmp_path) as server:
        np.testing.assert_array_equal(
            scores(server.post(BODY, "application/json")), predict_with_xgboost(members[1], SAMPLE)
        )


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (train(FEATURES, objective="reg:gamma", rounds=2), "differ in objective: "),
        (train(random_features(200, 4), rounds=2), "differ in number of features: "),
        (train(FEATURES, names=["a", "b", "c"], rounds=2), "differ in column names: "),
        (train(FEATURES, types=["q", "i", "q"], rounds=2), "differ in column types, column 2: "),
        (train(FEATURES, RANDOM.random((200, 2)), rounds=2), "differ in number of outputs: "),
    ],
    ids=["objective", "width", "names", "types", "targets"],
)
def test_members_that_differ_are_rejected(
    tmp_path: Path, other: xgboost.Booster, message: str
) -> None:
    """4.9: Models with different inputs or outputs are rejected, with the first difference."""
    line = startup_error(save_members([train(FEATURES, rounds=2), other], tmp_path))

    assert message in line
    assert "xgboost-model-1" in line


def test_an_unreadable_member_is_rejected(tmp_path: Path) -> None:
    """4.3: A numbered file that is not a model is reported, not skipped."""
    save_members(train_members(2), tmp_path)
    (tmp_path / "xgboost-model-2").write_bytes(b"binf")

    assert "xgboost-model-2 is in the binary format" in startup_error(tmp_path)


def test_each_member_has_its_own_best_iteration(tmp_path: Path) -> None:
    """Each member predicts up to its own best iteration."""
    members = train_members(2)
    members[0].set_attr(best_iteration="0")
    first, second = (
        predict_with_xgboost(members[0][:1], SAMPLE),
        predict_with_xgboost(members[1], SAMPLE),
    )
    expected = (first + second) / 2
    with running(save_members(members, tmp_path)) as server:
        np.testing.assert_allclose(
            scores(server.post(BODY, "application/json")), expected, rtol=1e-6
        )


def test_check_lists_all_members(tmp_path: Path) -> None:
    """7.6: `check` lists all members of an ensemble, and ignores none."""
    report = json.loads(
        run_check(save_members(train_members(2), tmp_path / "two"), "--json").stdout
    )

    assert list(report["ensemble"]) == ["xgboost-model-0", "xgboost-model-1"]
    assert not report["ignored_files"]
