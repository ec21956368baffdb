"""The functions from margins to predictions that the kernel computes itself.

For one row, a call of XGBoost would take longer than the trees.
"""

import numpy as np
from numpy.typing import NDArray

from serve.model.kernel.columns import COLUMN
from serve.model.kernel.extension import load_extension
from serve.model.kernel.layout import MIN_ENDS, NEVER_RIGHT, NODE, TEST, TREE
from serve.model.native_predict import Predictor

Floats = NDArray[np.float32]

IDENTITY, SIGMOID, EXPONENTIAL, SOFTMAX = range(4)
# XGBoost itself transforms the margins of other objectives. Two of them look simple and are not:
# reg:quantileerror sorts the quantiles (XGBoost 3.4), and survival:aft rounds from float64.
BUILT_IN = {
    "reg:squarederror": IDENTITY,
    "reg:squaredlogerror": IDENTITY,
    "reg:absoluteerror": IDENTITY,
    "reg:pseudohubererror": IDENTITY,
    "binary:logitraw": IDENTITY,
    "rank:ndcg": IDENTITY,
    "rank:map": IDENTITY,
    "rank:pairwise": IDENTITY,
    "binary:logistic": SIGMOID,
    "reg:logistic": SIGMOID,
    "count:poisson": EXPONENTIAL,
    "reg:gamma": EXPONENTIAL,
    "reg:tweedie": EXPONENTIAL,
    "survival:cox": EXPONENTIAL,
    "multi:softprob": SOFTMAX,
}
CHECKED_ROWS = 64
SPECIAL_MARGINS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 88.7, -88.7, 1e-40, 3e38)
SEED = 18


def choose_built_in(objective: str, xgboost_transform: Predictor, outputs: int) -> int | None:
    """Return the kernel's function for an objective, or None if XGBoost's must be called.

    The functions must agree for margins of all magnitudes, bit for bit.
    """
    built_in = BUILT_IN.get(objective)
    if built_in is None:
        return None
    random = np.random.default_rng(SEED)
    shape = (CHECKED_ROWS, outputs)
    margins = random.standard_normal(shape) * 10.0 ** random.integers(-3, 3, (CHECKED_ROWS, 1))
    margins[: len(SPECIAL_MARGINS)] = random.permuted(
        np.resize(SPECIAL_MARGINS, (outputs, len(SPECIAL_MARGINS))), axis=1
    ).T
    margins = margins.astype(np.float32)
    predictions, expected = transform(built_in, margins), xgboost_transform(margins)
    is_equal = np.array_equal(predictions.ravel().view(np.int32), expected.ravel().view(np.int32))
    return built_in if is_equal else None


def transform(built_in: int, margins: Floats) -> Floats:
    """Return the kernel's predictions for margins, float32 (n, k).

    The kernel predicts with forests of one leaf, -0.0, which changes no number; the margins are
    their base margins.
    """
    tree, node = np.zeros(1, TREE), np.zeros(1, NODE)
    tree["node_count"] = tree["weight"] = 1
    node["place"] = NEVER_RIGHT
    leaf, ends = np.full(1, -0.0, np.float32), np.full(MIN_ENDS, -0.0, np.float32)
    column, no_categories = np.array([(0, 0, 1, 0)], COLUMN), np.zeros(0, np.int8)
    arrays = (tree, node, leaf, np.zeros(0, TEST), ends, column, leaf, no_categories)
    extension, predictions = load_extension(), np.empty_like(margins)
    feature = np.zeros((1, 1), np.float32)
    for row, base_margins in enumerate(margins):
        forest = extension.load("base", 1, 2, built_in, *arrays, base_margins)
        extension.predict(forest, feature, predictions[row : row + 1])
    return predictions
