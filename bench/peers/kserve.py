"""KServe's own server and protocol, with the few lines of its XGBoost runtime, which is not on the package index."""

from bench.peers.peer import JSON, Peer, json_of, predictions_of
from bench.places import PROGRAMS

PEER = Peer(
    name="KServe",
    requirements=("kserve>=0.15", "xgboost-cpu>=3"),
    packages=("kserve", "xgboost-cpu", "uvicorn"),
    command=lambda launch: [
        *(launch.python, PROGRAMS / "kserve_server.py", launch.model),
        *("--http_port", str(launch.port), "--workers", "2", "--enable_grpc", "false"),
    ],
    path="/v1/models/model:predict",
    bodies={JSON: json_of("instances")},
    read=predictions_of,
    newest_python=(3, 13),
)
