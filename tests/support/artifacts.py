"""Small models as bytes, and the other files of an artifact, for tests of its layout."""

import json

import numpy as np

from tests.support.boosters import predict_with_xgboost, random_features, train
from tests.support.server import ROOT

OLD_MODELS = ROOT / "tests" / "support" / "old_models"

FEATURES = random_features(100, 3, missing=0)
BOOSTER, OTHER = train(FEATURES, rounds=3), train(FEATURES, rounds=5)
MODEL, OTHER_MODEL = bytes(BOOSTER.save_raw("ubj")), bytes(OTHER.save_raw("ubj"))
JSON_MODEL = bytes(BOOSTER.save_raw("json"))
OLD_MODEL = (OLD_MODELS / "1.7-xgboost-model").read_bytes()
SCHEMA = json.dumps({"features": [{"name": name, "missing": False} for name in "abc"]}).encode()
REQUEST = b"1,2,3\n"
EXPECTED = f"{predict_with_xgboost(BOOSTER, np.array([[1, 2, 3]], np.float32))[0]!s}\n".encode()
SELF_TEST = {"self-test/request.csv": REQUEST, "self-test/expected.csv": EXPECTED}
