"""The kernel predicts XGBoost's own bits."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from serve.model.kernel.built_in import IDENTITY
from serve.model.kernel.extension import load_extension
from serve.model.kernel.layout import lay_out
from serve.model.kernel.trees import read_trees
from serve.model.model import load_model
from serve.settings import Settings
from tests.support.boosters import random_features, train
from tests.support.diamonds import ARTIFACT
from tests.support.kernel import (
    SHAPES,
    assert_same_bits,
    list_supported_variants,
    load,
    make_hostile_rows,
    parse_learner,
    predict_hostile,
    require_kernel,
    train_generated,
    train_shape,
)

ROW_COUNTS = (*range(1, 140), 255, 256, 257, 511, 512, 513)


@pytest.fixture(autouse=True)
def kernel() -> None:
    require_kernel()


@pytest.mark.parametrize("seed", range(30))
def test_generated_models(tmp_path: Path, seed: int) -> None:
    """Every variant predicts XGBoost's bits, for models of all kinds and hostile rows."""
    booster = train_generated(seed)
    rows = make_hostile_rows(booster, 700, seed)
    expected = predict_hostile(booster, rows)

    for variant in list_supported_variants():
        model = load(booster, tmp_path, variant)
        assert model.predictor_name == f"kernel ({variant})"
        assert_same_bits(model.predict(rows), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_all_row_counts(tmp_path: Path, shape: str) -> None:
    """Predictions do not depend on the number of rows in a call."""
    booster = train_shape(shape)
    rows = make_hostile_rows(booster, max(ROW_COUNTS), seed=1)
    expected = predict_hostile(booster, rows)

    for variant in list_supported_variants():
        model = load(booster, tmp_path, variant)
        for count in ROW_COUNTS:
            assert_same_bits(model.predictor(rows[-count:]), expected[-count:])


def test_rounds_up_to_the_best_iteration(tmp_path: Path) -> None:
    """After an early stop, the kernel predicts with the first rounds, also of parallel trees."""
    booster = train(random_features(300, 4), rounds=12, num_parallel_tree=2, subsample=0.5)
    booster.set_attr(best_iteration="4")
    rows = make_hostile_rows(booster, 300, seed=1)
    model = load(booster, tmp_path)

    assert model.predictor_name.startswith("kernel")
    assert_same_bits(model.predict(rows), booster.inplace_predict(rows, iteration_range=(0, 5)))


def test_the_sample_model_uses_the_kernel() -> None:
    """The sample model, with its categories, is predicted by the kernel."""
    assert load_model(Settings(model_folder=ARTIFACT)).predictor_name.startswith("kernel")


def test_members_of_an_ensemble_use_the_kernel(tmp_path: Path) -> None:
    """All members of an ensemble use the kernel; a member that cannot is named."""
    features = random_features(300, 4)
    members = [train(features, np.random.default_rng(seed).random(300)) for seed in range(3)]
    for number, member in enumerate(members):
        member.save_model(tmp_path / f"xgboost-model-{number}.ubj")
        (tmp_path / f"xgboost-model-{number}.ubj").rename(tmp_path / f"xgboost-model-{number}")
    rows = make_hostile_rows(members[0], 300, seed=1)
    predictions = np.stack([predict_hostile(member, rows) for member in members])
    expected: NDArray[np.float32] = predictions.mean(axis=0, dtype=np.float64).astype(np.float32)
    model = load_model(Settings(model_folder=tmp_path))

    assert model.predictor_name.startswith("kernel")
    assert_same_bits(model.predict(rows), expected)


def test_a_tree_of_extreme_depth(tmp_path: Path) -> None:
    """A tree of 1,500 levels is predicted, without a warning at startup."""
    learner = json.loads(bytes(train_shape("shallow").save_raw("json")))
    tree = learner["learner"]["gradient_booster"]["model"]["trees"][0]
    tree.update(make_chain(depth=1_500))
    tree["tree_param"].update(num_nodes=str(len(tree["parents"])), num_deleted="0")
    booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(json.dumps(learner).encode()))
    rows = make_hostile_rows(booster, 100, seed=1)
    model = load(booster, tmp_path)

    assert model.predictor_name.startswith("kernel")
    assert_same_bits(model.predict(rows), predict_hostile(booster, rows))


def make_chain(depth: int) -> dict[str, list[Any]]:
    """Return the members of a tree in which each left child is a leaf."""
    nodes = range(2 * depth + 1)
    is_inner = [node % 2 == 0 and node < 2 * depth for node in nodes]
    return {
        "left_children": [node + 1 if is_inner[node] else -1 for node in nodes],
        "right_children": [node + 2 if is_inner[node] else -1 for node in nodes],
        "parents": [2**31 - 1, *((node - 1) // 2 * 2 for node in nodes[1:])],
        "split_conditions": [float(node) for node in nodes],
        "split_indices": [node % 5 for node in nodes],
        **{name: [0] * len(nodes) for name in ("default_left", "split_type")},
        **{name: [0.0] * len(nodes) for name in ("base_weights", "loss_changes", "sum_hessian")},
    }


def test_rows_that_start_anywhere_in_memory(tmp_path: Path) -> None:
    """A matrix does not have to begin at a multiple of four bytes."""
    booster = train_shape("shallow")
    rows = make_hostile_rows(booster, 100, seed=1)
    moved = np.frombuffer(b"\0" + rows.tobytes(), np.uint8)[1:].view(np.float32).reshape(rows.shape)

    assert not moved.flags.aligned
    assert_same_bits(load(booster, tmp_path).predict(moved), predict_hostile(booster, rows))


def test_quantiles_that_cross(tmp_path: Path) -> None:
    """XGBoost 3.4 sorts the quantiles of a row, and so does a prediction by the kernel."""
    features = random_features(400, 3)
    booster = train(
        features,
        objective="reg:quantileerror",
        quantile_alpha=[0.1, 0.5, 0.55, 0.6],
        learning_rate=1,
        min_child_weight=0,
    )
    rows = make_hostile_rows(booster, 2_000, seed=1)
    model = load(booster, tmp_path)
    margins = booster.inplace_predict(rows, predict_type="margin")

    assert (np.diff(margins) < 0).any()
    assert model.predictor_name.startswith("kernel")
    assert_same_bits(model.predict(rows), predict_hostile(booster, rows))


def test_threads_predict_concurrently(tmp_path: Path) -> None:
    """Eight threads that predict at once get their own predictions."""
    booster = train_shape("deep")
    model = load(booster, tmp_path)
    matrices = [make_hostile_rows(booster, rows, seed=rows) for rows in (1, 7, 64, 100, 700)]
    expected = [predict_hostile(booster, matrix) for matrix in matrices]
    failures: list[BaseException] = []

    def predict_repeatedly() -> None:
        try:
            for _ in range(30):
                for matrix, wanted in zip(matrices, expected, strict=True):
                    assert_same_bits(model.predict(matrix), wanted)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=predict_repeatedly) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def change_arrays(arrays: tuple[NDArray[Any], ...]) -> list[tuple[str, tuple[NDArray[Any], ...]]]:
    """Return the arrays of a forest, each time with one index out of bounds, or one cut in half."""
    changed = []
    for number, array in enumerate(arrays):
        if number > 0:  # with fewer trees, it would be another forest
            shorter = array[: len(array) // 2].copy()
            changed.append((f"{number} short", (*arrays[:number], shorter, *arrays[number + 1 :])))
        for name in array.dtype.names or ():
            if name in ("weight", "place"):
                continue
            wrong = array.copy()
            wrong[name][-1] = np.iinfo(wrong[name].dtype).max
            changed.append((f"{number} {name}", (*arrays[:number], wrong, *arrays[number + 1 :])))
    return changed


def test_indices_are_checked_at_load() -> None:
    """The kernel does not load arrays with an index that is out of bounds."""
    features = random_features(300, 3, missing=0)
    features[:, 2] = np.arange(300) % 7
    types = ["q", "q", "c"]
    booster = train(features, types=types, max_depth=9, min_child_weight=0, max_cat_to_onehot=1)
    trees = read_trees(parse_learner(booster), 10)
    arrays = lay_out(trees).list_arrays(np.zeros(1, dtype=np.float32))
    extension = load_extension()
    accepted = []
    for name, changed in change_arrays(arrays):
        try:
            extension.load("base", trees.feature_count, 4, IDENTITY, *changed)
            accepted.append(name)
        except ValueError:
            pass

    extension.load("base", trees.feature_count, 4, IDENTITY, *arrays)
    assert accepted == []


def test_matrices_of_another_width_are_rejected() -> None:
    """The kernel does not read beyond the matrix that it is called with."""
    trees = read_trees(parse_learner(train_shape("shallow")), 10)
    arrays = lay_out(trees).list_arrays(np.zeros(1, dtype=np.float32))
    extension = load_extension()
    forest = extension.load("base", trees.feature_count, 4, IDENTITY, *arrays)
    wide, out = np.zeros((4, trees.feature_count + 1), np.float32), np.zeros(4, np.float32)

    for features, predictions in (
        (wide, out),
        (np.zeros((4, trees.feature_count), np.float64), out),
        (np.zeros((5, trees.feature_count), np.float32), out),
        (np.zeros((4, 2 * trees.feature_count), np.float32)[:, ::2], out),
    ):
        with pytest.raises((ValueError, BufferError)):
            extension.predict(forest, features, predictions)
