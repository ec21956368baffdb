"""Servers: start one real server per model, and stop them by their process IDs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.adversary.models import Model
from tests.support.server import Process, Server, free_port, start, stop, wait_until_ready

WORKERS = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}


@contextmanager
def serving(models: Sequence[Model]) -> Iterator[Mapping[str, Server]]:
    """Serve all models until the block ends; yield the servers by the models' names."""
    servers: dict[str, Server] = {}
    try:
        for model in models:
            port = free_port()
            process = start(model.folder, port, **WORKERS | model.environment)
            servers[model.name] = Server(f"http://127.0.0.1:{port}", process)
        for server in servers.values():
            wait_until_ready(server)
        yield servers
    finally:
        for server in servers.values():
            _stop(server.process)


def _stop(process: Process | None) -> None:
    if process is not None and not process.output.closed:
        stop(process)
