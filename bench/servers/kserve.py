"""KServe's model server, with the few lines of its XGBoost runtime, which is not on PyPI."""

from bench.paths import PROGRAMS
from bench.servers.spec import JSON, ServerSpec, json_encoder, read_json_predictions

SERVER = ServerSpec(
    name="KServe",
    requirements=("kserve>=0.15", "xgboost-cpu>=3"),
    packages=("kserve", "xgboost-cpu", "uvicorn"),
    command=lambda launch: [
        *(launch.python, PROGRAMS / "kserve_server.py", launch.model),
        *("--http_port", str(launch.port), "--workers", "2", "--enable_grpc", "false"),
    ],
    path="/v1/models/model:predict",
    bodies={JSON: json_encoder("instances")},
    read=read_json_predictions,
    newest_python=(3, 13),
)
