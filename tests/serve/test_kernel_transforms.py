"""The kernel turns margins into predictions as XGBoost does, for each objective that it knows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from serve.model.kernel.built_in import BUILT_IN, SOFTMAX, transform
from serve.model.kernel.twin import build_transform, build_twin
from serve.model.kernel.ubjson import parse
from tests.support.boosters import random_features, train
from tests.support.kernel import require_kernel

Floats = NDArray[np.float32]

GROUPS = 1_000
SINGLE = sorted(objective for objective in BUILT_IN if BUILT_IN[objective] != SOFTMAX)


@pytest.fixture(autouse=True)
def kernel() -> None:
    require_kernel()


def build_xgboost_transform(objective: str, **parameters: Any) -> Callable[[Floats], Floats]:
    """Return XGBoost's own function from margins to predictions."""
    target = np.arange(60) % 2 + (objective == "reg:gamma")
    booster = train(random_features(60, 2), target, objective=objective, **parameters)
    return build_transform(build_twin(parse(bytes(booster.save_raw("ubj")))))


def assert_equal(objective: str, margins: Floats) -> None:
    # A margin is never a signaling NaN, because additions do not return one.
    is_signaling = np.isnan(margins) & (margins.view(np.uint32) & (1 << 22) == 0)
    margins = np.where(is_signaling, np.float32(np.nan), margins)
    expected = build_xgboost_transform(objective)(margins.ravel())
    got = transform(BUILT_IN[objective], margins).ravel()

    np.testing.assert_array_equal(got.view(np.uint32), expected.view(np.uint32))


def spread_margins(step: int) -> Floats:
    """Return every step-th of all 2^32 floating-point numbers, float32 (n, GROUPS)."""
    bits = np.arange(0, 1 << 32, step, dtype=np.uint64).astype(np.uint32)
    return np.resize(bits, (len(bits) // GROUPS + 1, GROUPS)).view(np.float32)


@pytest.mark.parametrize("objective", SINGLE)
def test_transforms(objective: str) -> None:
    """The kernel's function equals XGBoost's, bit for bit, for margins of all magnitudes."""
    assert_equal(objective, spread_margins(step=100_003))


@pytest.mark.long
@pytest.mark.parametrize("objective", ["binary:logistic", "count:poisson"])
def test_transforms_of_many_margins(objective: str) -> None:
    """The sigmoid and the exponential function equal XGBoost's for 10 million margins."""
    assert_equal(objective, spread_margins(step=429))


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_softmax(classes: int) -> None:
    """The probabilities of classes equal XGBoost's, bit for bit, and also where they overflow."""
    random = np.random.default_rng(classes)
    scale = 10.0 ** random.uniform(-3, 3, (20_000, 1))
    margins = (scale * random.standard_normal((20_000, classes))).astype(np.float32)
    margins[:100] = random.choice([np.inf, -np.inf, np.nan, 3e38, 0, -0.0], (100, classes))
    expected = build_xgboost_transform("multi:softprob", num_class=classes)(margins)
    got = transform(SOFTMAX, margins)

    np.testing.assert_array_equal(got.view(np.uint32), expected.view(np.uint32))
