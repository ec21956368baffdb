"""The widely copied SageMaker sample, without nginx: Flask, gevent workers and pandas."""

import io

import numpy as np

from bench.paths import PROGRAMS
from bench.servers.spec import CSV, Predictions, ServerSpec, encode_csv


def _read(response: bytes) -> Predictions:
    return np.loadtxt(io.BytesIO(response), delimiter=",", ndmin=1)


SERVER = ServerSpec(
    name="pandas sample",
    requirements=("flask", "gunicorn", "gevent", "packaging", "pandas", "xgboost-cpu>=3"),
    packages=("flask", "gunicorn", "gevent", "pandas", "xgboost-cpu"),
    command=lambda launch: [
        *(launch.python, "-m", "gunicorn", "--chdir", PROGRAMS),
        *("--bind", f"127.0.0.1:{launch.port}"),
        *("--workers", "2", "--worker-class", "gevent", "--timeout", "60", "sample_server:app"),
    ],
    env=lambda launch: {"BENCH_MODEL": str(launch.model)},
    path="/invocations",
    bodies={CSV: encode_csv},
    read=_read,
)
