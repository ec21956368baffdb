"""XGBoost predicts where the kernel cannot, and the reason is reported."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from serve.errors import BadSetting
from serve.model.kernel.extension import VARIANTS, load_extension
from serve.model.kernel.forest import build_kernel_predictor
from serve.model.kernel.layout import lay_out
from serve.model.kernel.trees import read_trees
from serve.model.kernel.unsupported import Unsupported
from tests.support.boosters import predict_with_xgboost, random_features, train
from tests.support.kernel import (
    assert_same_bits,
    load,
    parse_learner,
    predict_hostile,
    require_kernel,
    train_shape,
)


@pytest.fixture(autouse=True)
def kernel() -> None:
    require_kernel()


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"multi_strategy": "multi_output_tree"}, "its leaves are vectors"),
        ({"booster": "gblinear"}, "its booster is gblinear"),
    ],
)
def test_xgboost_predicts_other_models(
    tmp_path: Path, parameters: dict[str, Any], reason: str
) -> None:
    """XGBoost itself predicts with models that the kernel does not support, and says why."""
    features = random_features(100, 3, missing=0)
    booster = train(np.sign(features), np.random.default_rng(1).random((100, 2)), **parameters)
    with xgboost.config_context(verbosity=0):
        model = load(booster, tmp_path)
        predictions = model.predict(features)

    assert model.predictor_name == f"XGBoost, because {reason}"
    assert_same_bits(predictions, predict_with_xgboost(booster, features))


def test_the_setting_disables_the_kernel(tmp_path: Path) -> None:
    """SERVE_KERNEL=off predicts with XGBoost."""
    model = load(train_shape("shallow"), tmp_path, "off")

    assert model.predictor_name == "XGBoost, because SERVE_KERNEL is off"


def flip_a_bit(predictions: NDArray[np.float32]) -> NDArray[np.float32]:
    changed = predictions.copy()
    changed.view(np.uint32)[-1] ^= 1
    return changed


def test_one_different_bit_disables_the_kernel() -> None:
    """The kernel is not used if a single bit of one prediction differs from XGBoost's."""
    booster = train_shape("shallow")

    with pytest.raises(Unsupported, match="its predictions differ"):
        build_kernel_predictor(
            booster, 10, lambda rows: flip_a_bit(booster.inplace_predict(rows)), "base"
        )


def move_children(tree: dict[str, Any], change: Callable[[NDArray[Any]], Any]) -> None:
    """Change the left children of all nodes, and keep the right ones next to them."""
    left = np.array(tree["left_children"])
    moved = np.where(left < 0, -1, change(left))
    tree |= {"left_children": moved, "right_children": np.where(left < 0, -1, moved + 1)}


CHANGES: dict[str, Callable[[Any], object]] = {
    'its model has the unknown key "leaf_scale"': lambda model: model.update(leaf_scale=2),
    'its tree has the unknown key "bias"': lambda model: model["trees"][3].update(bias=[]),
    'its tree_param has the unknown key "linear"': (
        lambda model: model["trees"][0]["tree_param"].update(linear="1")
    ),
    'its tree has no key "split_type"': lambda model: model["trees"][0].pop("split_type"),
    "the children of a node are not next to each other": (
        lambda model: model["trees"][0].update(
            right_children=np.array(model["trees"][0]["left_children"])
        )
    ),
    "its trees are not trees": lambda model: move_children(model["trees"][0], np.zeros_like),
    "a threshold is not finite": (
        lambda model: model["trees"][0].update(
            split_conditions=np.array(model["trees"][0]["split_conditions"]) * np.inf
        )
    ),
    "a node tests a feature that the model does not have": (
        lambda model: model["trees"][0].update(
            split_indices=np.array(model["trees"][0]["split_indices"]) + 5
        )
    ),
}


@pytest.mark.parametrize("reason", CHANGES)
def test_models_that_are_not_understood(reason: str) -> None:
    """An unknown or missing key of the model, and nodes that form no tree, are refused."""
    learner = parse_learner(train_shape("shallow"))
    CHANGES[reason](learner["gradient_booster"]["model"])

    with pytest.raises(Unsupported, match=reason):
        lay_out(read_trees(learner, 10))


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants(tmp_path: Path, variant: str) -> None:
    """SERVE_KERNEL selects a variant; one that the processor does not support prevents startup."""
    booster = train_shape("shallow")
    if load_extension().supports(variant):
        assert load(booster, tmp_path, variant).predictor_name == f"kernel ({variant})"
    else:
        with pytest.raises(BadSetting, match=f"SERVE_KERNEL={variant}: .* supports only"):
            load(booster, tmp_path, variant)


def test_large_categories(tmp_path: Path) -> None:
    """XGBoost predicts if the tables of all sets of categories would be large."""
    features = (np.arange(400) % 12).astype(np.float32).reshape(-1, 1)
    booster = train(features, features % 5, types=["c"], max_cat_to_onehot=1)
    document = json.loads(bytes(booster.save_raw("json")))
    document["learner"]["gradient_booster"]["model"]["trees"][0]["categories"][-1] = 9_000_000
    changed = xgboost.Booster({"nthread": 1}, model_file=bytearray(json.dumps(document).encode()))
    model = load(changed, tmp_path)

    assert "its sets of categories need more than 4,000,000 codes" in model.predictor_name
    assert_same_bits(model.predict(features), predict_hostile(changed, features))


def test_shared_children() -> None:
    """Nodes with the same children are refused."""
    learner = parse_learner(train_shape("deep"))
    move_children(
        learner["gradient_booster"]["model"]["trees"][0],
        lambda left: np.where(left == left.max(), left.max() - 2, left),
    )

    with pytest.raises(Unsupported, match="its trees are not trees"):
        lay_out(read_trees(learner, 10))
