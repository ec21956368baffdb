"""The twin of a model: a booster with its parameters, but without trees.

With margins as its base margins, it predicts what the model would, by XGBoost's own code.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from serve.model.kernel.unsupported import Unsupported
from serve.model.native_predict import Predictor, build_direct_transform

Floats = NDArray[np.float32]


def build_twin(document: Mapping[str, Any]) -> xgboost.Booster:
    """Return the twin of a model, which is given as its parsed document; it has one feature."""
    learner = document["learner"]
    model = {
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "0"},
        "iteration_indptr": [0],
        "tree_info": [],
        "trees": [],
    }
    parameters = {"num_feature": "1", "boost_from_average": "0"}
    twin = {
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "gradient_booster": {"model": model, "name": "gbtree"},
            "learner_model_param": {**learner["learner_model_param"], **parameters},
            "objective": learner["objective"],
        },
        "version": document["version"],
    }
    return xgboost.Booster({"nthread": 1}, model_file=bytearray(json.dumps(twin).encode()))


def read_base_margins(twin: xgboost.Booster) -> Floats:
    """Return the base score as a margin of each output, float32 (k,)."""
    features = np.zeros((1, 1), dtype=np.float32)
    margins: Floats = twin.inplace_predict(features, predict_type="margin")
    return np.ascontiguousarray(margins.ravel(), dtype=np.float32)


def build_transform(twin: xgboost.Booster) -> Predictor:
    """Return a function from margins to predictions; raises Unsupported without the C function."""
    try:
        return build_direct_transform(twin)
    except AttributeError as error:
        raise Unsupported(f"XGBoost has no function {error}") from error
