"""MLflow's scoring server with its own XGBoost flavour, and two workers."""

import os
import subprocess

from bench.peers.peer import JSON, Launch, Peer, json_of, predictions_of
from bench.places import PROGRAMS

SAVE_SECONDS = 120


def _prepare(launch: Launch) -> None:
    """Pack the booster as a model of MLflow's, with the interpreter that has MLflow."""
    command = [launch.python, PROGRAMS / "mlflow_save.py", launch.model, launch.scratch / "model"]
    subprocess.run(command, check=True, capture_output=True, timeout=SAVE_SECONDS)


PEER = Peer(
    name="MLflow",
    # Without uvloop the median is 48 ms with 0.3 processors busy, as if for a delayed ACK; with it 8.5 ms (a, 1 row).
    requirements=("mlflow>=3", "uvloop", "xgboost-cpu>=3"),
    packages=("mlflow", "xgboost-cpu", "uvicorn"),
    command=lambda launch: [
        *(
            launch.python,
            "-m",
            "mlflow",
            "models",
            "serve",
            "--model-uri",
            launch.scratch / "model",
        ),
        *(
            "--env-manager",
            "local",
            "--host",
            "127.0.0.1",
            "--port",
            str(launch.port),
            "--workers",
            "2",
        ),
    ],
    # It starts uvicorn by its name. One thread of XGBoost's, since its workers' would fight for the cores.
    env=lambda launch: {
        "PATH": f"{launch.python.parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    },
    path="/invocations",
    bodies={JSON: json_of("inputs")},
    read=predictions_of,
    prepare=_prepare,
)
