"""An XGBoost model behind BentoML; the variable BENCH_MODEL names its file."""

import os

import bentoml
import numpy as np
import xgboost


@bentoml.service(workers=2, traffic={"timeout": 60})
class Model:
    """A booster that predicts, whose annotations BentoML reads."""

    def __init__(self) -> None:
        """Load the booster."""
        self.booster = xgboost.Booster({"nthread": 1}, model_file=os.environ["BENCH_MODEL"])

    @bentoml.api  # type: ignore[untyped-decorator]  # its packages are not in the environment of mypy
    def predict(self, instances: np.ndarray) -> np.ndarray:
        """Return the predictions of rows of numbers."""
        return np.asarray(
            self.booster.predict(xgboost.DMatrix(instances.astype(np.float32), nthread=1))
        )
