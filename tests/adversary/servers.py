"""Servers: start one real server per model, and stop them by their process IDs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.adversary.models import Model
from tests.support.server import Process, Server, free_port, start, stop, wait_until_ready

ENVIRONMENT = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}
# Another program may take a free port before the server listens on it.
PORT_TAKEN, MAX_ATTEMPTS = "Address already in use", 5


@contextmanager
def serving(models: Sequence[Model]) -> Iterator[Mapping[str, Server]]:
    """Serve all models until the block ends; yield the servers by the models' names."""
    servers: dict[str, Server] = {}
    try:
        for model in models:
            servers[model.name] = _start(model)
        for model in models:
            servers[model.name] = _wait(model, servers[model.name])
        yield servers
    finally:
        for server in servers.values():
            _stop(server.process)


def _start(model: Model) -> Server:
    port = free_port()
    process = start(model.folder, port, **ENVIRONMENT | model.environment)
    return Server(f"http://127.0.0.1:{port}", process)


def _wait(model: Model, server: Server) -> Server:
    """Wait until a server is ready, and return it, or another one if its port was taken."""
    for _ in range(MAX_ATTEMPTS):
        try:
            wait_until_ready(server)
        except RuntimeError as error:
            if PORT_TAKEN not in str(error):
                raise
            server = _start(model)
        else:
            return server
    raise RuntimeError(f"found no free port in {MAX_ATTEMPTS} attempts")


def _stop(process: Process | None) -> None:
    if process is not None and not process.output.closed:
        stop(process)
