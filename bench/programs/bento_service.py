"""An XGBoost model in BentoML; the variable BENCH_MODEL has the path of the model file."""

import os

import bentoml
import numpy as np
import xgboost


@bentoml.service(workers=2, traffic={"timeout": 60})
class Model:
    """A BentoML service, which derives its API from the annotations."""

    def __init__(self) -> None:
        """Load the booster."""
        self.booster = xgboost.Booster({"nthread": 1}, model_file=os.environ["BENCH_MODEL"])

    @bentoml.api  # type: ignore[untyped-decorator]  # BentoML is not installed for mypy
    def predict(self, instances: np.ndarray) -> np.ndarray:
        """Return the predictions for a matrix of numbers."""
        return np.asarray(
            self.booster.predict(xgboost.DMatrix(instances.astype(np.float32), nthread=1))
        )
