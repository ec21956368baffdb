"""MLServer with its own XGBoost runtime, and two workers."""

import json
from collections.abc import Sequence
from itertools import chain

import numpy as np
import orjson

from bench.models import Row
from bench.peers.peer import JSON, Launch, Peer, Predictions
from container.local_server import free_port


def _prepare(launch: Launch) -> None:
    """Write MLServer's two files of settings."""
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


def _body(rows: Sequence[Row]) -> bytes:
    data = list(chain.from_iterable(rows))
    return orjson.dumps(
        {
            "inputs": [
                {"name": "x", "shape": [len(rows), len(rows[0])], "datatype": "FP32", "data": data}
            ]
        }
    )


def _read(reply: bytes) -> Predictions:
    output = orjson.loads(reply)["outputs"][0]
    predictions = np.array(output["data"], dtype=np.float64).reshape(output["shape"])
    return predictions[:, 0] if predictions.shape[1:] == (1,) else predictions


PEER = Peer(
    name="MLServer",
    # Its workers ask for an event loop as only older releases of uvloop give one.
    requirements=("mlserver>=1.7", "mlserver-xgboost>=1.7", "uvloop<0.22"),
    packages=("mlserver", "mlserver-xgboost", "xgboost", "uvicorn"),
    command=lambda launch: [
        launch.python,
        "-c",
        "from mlserver.cli import main; main()",
        "start",
        launch.scratch,
    ],
    env=lambda _: {"OMP_NUM_THREADS": "1"},  # its workers' threads would fight for the cores
    path="/v2/models/model/infer",
    bodies={JSON: _body},
    read=_read,
    prepare=_prepare,
    newest_python=(3, 12),
)
