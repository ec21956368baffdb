"""An XGBoost model in LitServe.

Usage: litserve_server.py MODEL PORT
"""

import sys
from typing import Any

import litserve
import numpy as np
import xgboost
from fastapi import Request


class Api(litserve.LitAPI):
    """The four methods of a LitServe API."""

    def setup(self, device: Any) -> None:  # noqa: ARG002  # LitServe's signature
        self.booster = xgboost.Booster({"nthread": 1}, model_file=sys.argv[1])

    def decode_request(self, request: Request) -> Any:
        """Return the features; LitServe passes the parsed JSON body because of the annotation."""
        return np.array(request["instances"], dtype=np.float32)

    def predict(self, x: Any) -> Any:
        return self.booster.predict(xgboost.DMatrix(x, nthread=1))

    def encode_response(self, output: Any) -> Any:
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=2, timeout=60)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )
