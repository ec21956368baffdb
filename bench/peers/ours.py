"""This server behind each of its doors, in an environment of what the image installs and nothing else."""

import io

import numpy as np
import orjson

from bench.peers.peer import CSV, JSON, OURS, Peer, Predictions, csv_of, json_of
from bench.places import ROOT

WORKERS = 2


def _peer(front_end: str) -> Peer:
    return Peer(
        name=f"ours, {front_end}",
        requirements=OURS,
        packages=("xgboost-cpu", "gunicorn", "flask"),
        command=lambda launch: [launch.python, ROOT / "container" / "entrypoint.py", "serve"],
        env=lambda launch: {
            "SERVE_FRONTEND": front_end,
            "SM_MODEL_DIR": str(launch.model.parent),
            "SAGEMAKER_BIND_TO_PORT": str(launch.port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS),
        },
        path="/invocations",
        bodies={CSV: csv_of, JSON: json_of("instances")},
        read=_read,
    )


def _read(reply: bytes) -> Predictions:
    if reply.startswith(b"{"):
        return np.array([prediction["score"] for prediction in orjson.loads(reply)["predictions"]])
    return np.loadtxt(io.BytesIO(reply), delimiter=",", ndmin=1)


LEAN = _peer("asgi")
FLASK = _peer("flask")
