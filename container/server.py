"""gunicorn, configured from the settings and in this very process."""

import os
from typing import Any

from flask import Flask, Response
from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import ParseException

from container.worker import Worker
from serve.app import caller_error
from serve.errors import BrokenPayload
from serve.settings import Settings

# A thread is held by each caller that is slow to send its body, so there are many; they cost little while they wait.
THREADS = 64


class Server(BaseApplication):
    """gunicorn with an application that is loaded already: the workers are forks that share the model's memory."""

    def __init__(self, application: Flask, settings: Settings) -> None:
        application.register_error_handler(ParseException, _broken_payload)
        self.application = application
        self.options = options(settings)
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.application


def options(settings: Settings) -> dict[str, Any]:
    """Return gunicorn's names and values for the settings."""
    return {
        "bind": f"0.0.0.0:{settings.port}",
        "workers": settings.workers or len(os.sched_getaffinity(0)),
        "worker_class": Worker,
        "threads": THREADS,
        "preload_app": True,
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp",
        "control_socket_disable": True,  # it would be made in the home folder, which may be read-only
        "timeout": 3600,  # a batch may compute for an hour: contract 5.12 and 7.1
        "graceful_timeout": 20,  # SIGKILL comes 30 s after SIGTERM: contract 1.3
        "keepalive": 75,  # longer than the platform keeps an idle connection: contract 14
        "loglevel": "warning",
    }


def _broken_payload(error: ParseException) -> Response:
    """Answer a body whose chunks are no chunks, which gunicorn notices only when it is read."""
    return caller_error(BrokenPayload(f"the body broke off: {error}"))
