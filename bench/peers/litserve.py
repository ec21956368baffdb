"""LitServe, with two workers."""

from bench.peers.peer import JSON, Peer, json_of, predictions_of
from bench.places import PROGRAMS

PEER = Peer(
    name="LitServe",
    requirements=("litserve>=0.2.10", "xgboost-cpu>=3"),
    packages=("litserve", "xgboost-cpu", "uvicorn"),
    command=lambda launch: [
        launch.python,
        PROGRAMS / "litserve_server.py",
        launch.model,
        str(launch.port),
    ],
    path="/predict",
    bodies={JSON: json_of("instances")},
    read=predictions_of,
)
