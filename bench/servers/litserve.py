"""LitServe, with two workers."""

from bench.paths import PROGRAMS
from bench.servers.spec import JSON, ServerSpec, json_encoder, read_json_predictions

SERVER = ServerSpec(
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
    bodies={JSON: json_encoder("instances")},
    read=read_json_predictions,
)
