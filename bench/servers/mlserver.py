"""MLServer with its XGBoost runtime, with two workers."""

import json
from collections.abc import Sequence
from itertools import chain

import numpy as np
import orjson

from bench.models import Row
from bench.servers.spec import JSON, Launch, Predictions, ServerSpec
from container.local_server import free_port


def _prepare(launch: Launch) -> None:
    """Write MLServer's two settings files."""
    server = {
        "host": "127.0.0.1",
        "http_port": launch.port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": 2,
        "debug": False,
    }
    model = {
        "name": "model",
        "implementation": "mlserver_xgboost.XGBoostModel",
        "parameters": {"uri": str(launch.model)},
    }
    (launch.scratch / "settings.json").write_text(json.dumps(server), encoding="utf-8")
    (launch.scratch / "model-settings.json").write_text(json.dumps(model), encoding="utf-8")


def _encode(rows: Sequence[Row]) -> bytes:
    tensor = {
        "name": "x",
        "shape": [len(rows), len(rows[0])],
        "datatype": "FP32",
        "data": list(chain.from_iterable(rows)),
    }
    return orjson.dumps({"inputs": [tensor]})


def _read(response: bytes) -> Predictions:
    output = orjson.loads(response)["outputs"][0]
    predictions = np.array(output["data"], dtype=np.float64).reshape(output["shape"])
    return predictions[:, 0] if predictions.shape[1:] == (1,) else predictions


SERVER = ServerSpec(
    name="MLServer",
    # Its workers get the event loop in a way that only older uvloop releases support.
    requirements=("mlserver>=1.7", "mlserver-xgboost>=1.7", "uvloop<0.22"),
    packages=("mlserver", "mlserver-xgboost", "xgboost", "uvicorn"),
    command=lambda launch: [
        launch.python,
        "-c",
        "from mlserver.cli import main; main()",
        "start",
        launch.scratch,
    ],
    env=lambda _: {"OMP_NUM_THREADS": "1"},  # avoids contention for the cores
    path="/v2/models/model/infer",
    bodies={JSON: _encode},
    read=_read,
    prepare=_prepare,
    newest_python=(3, 12),
)
