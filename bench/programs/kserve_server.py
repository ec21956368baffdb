"""An XGBoost model in KServe, as in KServe's XGBoost runtime: a DMatrix and one thread.

Usage: kserve_server.py MODEL [KSERVE_OPTION ...]
"""

import sys
from typing import Any

import kserve
import xgboost
from kserve.utils.utils import get_predict_input, get_predict_response


class Model(kserve.Model):
    """A booster as a KServe model."""

    def load(self) -> bool:
        self.booster = xgboost.Booster({"nthread": 1}, model_file=sys.argv[1])
        self.ready = True
        return self.ready

    def predict(self, payload: Any, *_: Any) -> Any:
        predictions = self.booster.predict(xgboost.DMatrix(get_predict_input(payload), nthread=1))
        return get_predict_response(payload, predictions, self.name)


if __name__ == "__main__":
    model = Model("model")
    model.load()
    kserve.ModelServer().start([model])
