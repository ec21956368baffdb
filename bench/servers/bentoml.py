"""BentoML, with two workers."""

from pathlib import Path

import numpy as np
import orjson

from bench.paths import PROGRAMS
from bench.servers.spec import JSON, Launch, Predictions, ServerSpec, json_encoder


def _env(launch: Launch) -> dict[str, str]:
    return {
        "BENCH_MODEL": str(launch.model),
        "BENTOML_HOME": str(launch.scratch),
        "BENTOML_DO_NOT_TRACK": "true",
    }


def _command(launch: Launch) -> list[str | Path]:
    options = ["--host", "127.0.0.1", "--port", str(launch.port), "--working-dir", str(PROGRAMS)]
    return [launch.python, "-m", "bentoml", "serve", "bento_service:Model", *options]


def _read(response: bytes) -> Predictions:
    return np.array(orjson.loads(response), dtype=np.float64)


SERVER = ServerSpec(
    name="BentoML",
    # Without uvloop, the median latency is 34 ms with half a processor busy, as if ACKs were
    # delayed; with it, 13 ms (model a, 1 row).
    requirements=("bentoml>=1.4", "uvloop", "xgboost-cpu>=3"),
    packages=("bentoml", "xgboost-cpu", "uvicorn"),
    command=_command,
    env=_env,
    path="/predict",
    bodies={JSON: json_encoder("instances")},
    read=_read,
)
