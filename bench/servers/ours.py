"""This project's server with each of its front ends, installed from the image's lock."""

import io

import numpy as np
import orjson

from bench.paths import ROOT
from bench.servers.spec import (
    CSV,
    IMAGE_LOCK,
    JSON,
    Predictions,
    ServerSpec,
    encode_csv,
    json_encoder,
)

WORKERS = 2


def _describe(front_end: str) -> ServerSpec:
    return ServerSpec(
        name=f"ours, {front_end}",
        requirements=IMAGE_LOCK,
        packages=("xgboost-cpu", "gunicorn", "flask"),
        command=lambda launch: [launch.python, ROOT / "container" / "entrypoint.py", "serve"],
        env=lambda launch: {
            "SERVE_FRONTEND": front_end,
            "SM_MODEL_DIR": str(launch.model.parent),
            "SAGEMAKER_BIND_TO_PORT": str(launch.port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS),
        },
        path="/invocations",
        bodies={CSV: encode_csv, JSON: json_encoder("instances")},
        read=_read,
    )


def _read(response: bytes) -> Predictions:
    if response.startswith(b"{"):
        return np.array(
            [prediction["score"] for prediction in orjson.loads(response)["predictions"]]
        )
    return np.loadtxt(io.BytesIO(response), delimiter=",", ndmin=1)


ASGI = _describe("asgi")
FLASK = _describe("flask")
