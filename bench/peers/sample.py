"""The sample that everybody copies: pandas and Flask, gevent's workers, all threads of XGBoost's; without its nginx."""

import io

import numpy as np

from bench.peers.peer import CSV, Peer, Predictions, csv_of
from bench.places import PROGRAMS


def _read(reply: bytes) -> Predictions:
    return np.loadtxt(io.BytesIO(reply), delimiter=",", ndmin=1)


PEER = Peer(
    name="pandas sample",
    requirements=("flask", "gunicorn", "gevent", "packaging", "pandas", "xgboost-cpu>=3"),
    packages=("flask", "gunicorn", "gevent", "pandas", "xgboost-cpu"),
    command=lambda launch: [
        *(
            launch.python,
            "-m",
            "gunicorn",
            "--chdir",
            PROGRAMS,
            "--bind",
            f"127.0.0.1:{launch.port}",
        ),
        *("--workers", "2", "--worker-class", "gevent", "--timeout", "60", "sample_server:app"),
    ],
    env=lambda launch: {"BENCH_MODEL": str(launch.model)},
    path="/invocations",
    bodies={CSV: csv_of},
    read=_read,
)
