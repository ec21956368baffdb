"""The servers of the benchmark: this project's front ends, hello-world floors, and peers."""

from bench.servers import bentoml, hello, kserve, litserve, mlflow, mlserver, ours, sample
from bench.servers.spec import ServerSpec

OURS = (ours.ASGI, ours.FLASK)
HELLO_WORLDS = (hello.ASGI, hello.FLASK)
PEERS = (
    kserve.SERVER,
    litserve.SERVER,
    bentoml.SERVER,
    mlserver.SERVER,
    mlflow.SERVER,
    sample.SERVER,
)
SERVERS: dict[str, ServerSpec] = {server.name: server for server in (*OURS, *HELLO_WORLDS, *PEERS)}
