"""MLflow's scoring server with its XGBoost flavor, with two workers."""

import os
import subprocess

from bench.paths import PROGRAMS
from bench.servers.spec import JSON, Launch, ServerSpec, json_encoder, read_json_predictions

SAVE_SECONDS = 120


def _prepare(launch: Launch) -> None:
    """Save the booster in MLflow's model format, with the interpreter that has MLflow."""
    command = [launch.python, PROGRAMS / "mlflow_save.py", launch.model, launch.scratch / "model"]
    subprocess.run(command, check=True, capture_output=True, timeout=SAVE_SECONDS)


SERVER = ServerSpec(
    name="MLflow",
    # Without uvloop, the median latency is 48 ms with 0.3 processors busy, as if ACKs were
    # delayed; with it, 8.5 ms (model a, 1 row).
    requirements=("mlflow>=3", "uvloop", "xgboost-cpu>=3"),
    packages=("mlflow", "xgboost-cpu", "uvicorn"),
    command=lambda launch: [
        *(launch.python, "-m", "mlflow", "models", "serve"),
        *("--model-uri", launch.scratch / "model", "--env-manager", "local"),
        *("--host", "127.0.0.1", "--port", str(launch.port), "--workers", "2"),
    ],
    # MLflow finds uvicorn on PATH. One XGBoost thread per worker avoids contention for the cores.
    env=lambda launch: {
        "PATH": f"{launch.python.parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    },
    path="/invocations",
    bodies={JSON: json_encoder("inputs")},
    read=read_json_predictions,
    prepare=_prepare,
)
