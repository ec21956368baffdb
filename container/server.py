"""gunicorn, configured from the settings and in this very process."""

import gc
import logging
import os
import socket
import sys
from typing import Any

import xgboost
from flask import Response
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.http.errors import ParseException

from container.arbiter import SignalSafeArbiter, unblock_signals
from container.asgi_worker import BALANCE, AsgiWorker
from container.flask_worker import FlaskWorker
from container.limits import read_limits
from container.sizing import Sizing, size
from serve import __version__
from serve.app import application, caller_error
from serve.errors import SENT, AbortedStream, BadSetting, IncompleteBody
from serve.http.asgi import AsgiFrontEnd
from serve.http.execution_parameters import execution_parameters
from serve.http.responder import Responder
from serve.logs import configure, event
from serve.model.artifact import find_model
from serve.model.model import load_model
from serve.model.summary import summarize
from serve.parallel import ParallelMap
from serve.self_test import run_self_test
from serve.settings import Settings, suggest_settings

INVALID_REQUEST = "Invalid request from ip="
SCRATCH = ("/dev/shm", "/tmp")
FRONT_ENDS: dict[str, dict[str, Any]] = {
    "asgi": {"worker_class": AsgiWorker, "asgi_loop": "asyncio", "asgi_lifespan": "off"},
    # A thread is held by each caller that is slow to send its body, so there are many; they cost little while they wait.
    "flask": {"worker_class": FlaskWorker, "threads": 128},
}


class Server(BaseApplication):
    """gunicorn with an application that is loaded already: the workers are forks that share the model's memory."""

    def __init__(self, settings: Settings) -> None:
        """Load the model and bind nothing yet; raises StartupError."""
        configure(settings.log_level)
        _check_port(settings.port)
        sizing = size(
            find_model(settings.model_folder, ensemble=settings.ensemble), read_limits(), settings
        )
        model = load_model(settings)
        self_test_records = run_self_test(model, settings.model_folder)
        invocations = Responder(model, settings, ParallelMap(sizing.threads))
        parameters = execution_parameters(settings, sizing.workers)
        self.application: Any = application(invocations, parameters)
        self.application.register_error_handler(ParseException, _broken_payload)
        if settings.frontend == "asgi":
            self.application = AsgiFrontEnd(invocations, self.application, sizing.threads)
        self.options = options(settings, sizing)
        for variable, suggestion in suggest_settings().items():
            event(
                logging.WARNING,
                "unknown variable ignored",
                variable=variable,
                did_you_mean=suggestion,
            )
        if ignored := model.file.ignored_models:
            event(logging.WARNING, "ignored", files=ignored)
        self.facts = {
            "version": __version__,
            "xgboost": xgboost.__version__,
            "port": settings.port,
            "frontend": settings.frontend,
            "batch": settings.batch,
            "sizing": sizing.reason,
            "self_test_records": self_test_records,
            **summarize(model),
        }
        super().__init__()
        gc.collect()
        gc.freeze()  # what is there now stays: no worker looks through it again, nor copies its pages by that

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)
        self.cfg.set("when_ready", lambda _: event(logging.INFO, "started", **self.facts))
        self.cfg.set("on_exit", lambda _: event(logging.INFO, "stopped"))
        self.cfg.set("post_worker_init", lambda _: unblock_signals())
        self.cfg.set("child_exit", lambda _, worker: BALANCE.forget(worker.age))

    def load(self) -> Any:
        return self.application

    def run(self) -> None:
        SignalSafeArbiter(self).run()


class GunicornLog(GunicornLogger):
    """gunicorn's own messages as events of this server's log, without those of an ordinary day."""

    def setup(self, _cfg: Any) -> None:
        self.error_log.propagate = True

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        if msg.startswith(INVALID_REQUEST):  # gunicorn quotes the bytes, which may be of a payload
            msg = msg.partition(": ")[0]
        super().warning(msg, *args, **kwargs)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        if not isinstance(
            sys.exc_info()[1], TimeoutError | AbortedStream
        ):  # a silent caller is nobody's failure; the other is logged
            super().exception(msg, *args, **kwargs)


def options(settings: Settings, sizing: Sizing) -> dict[str, Any]:
    """Return gunicorn's names and values for the settings."""
    return (
        FRONT_ENDS[settings.frontend]
        | {
            "bind": f"0.0.0.0:{settings.port}",
            "workers": sizing.workers,
            "preload_app": True,
            "worker_tmp_dir": _writable_folder(),
            "forwarder_headers": "",  # no proxy stands before this server; SCRIPT_NAME from the loopback would move its paths
            "control_socket_disable": True,  # it would be made in the home folder, which may be read-only
            "timeout": settings.worker_timeout_seconds,
            "graceful_timeout": 20,  # SIGKILL comes 30 s after SIGTERM: contract 1.3
            "keepalive": 75,  # longer than the platform keeps an idle connection: contract 14
            "logger_class": GunicornLog,
        }
    )


def _check_port(port: int) -> None:
    """Refuse a port that somebody listens on, before gunicorn tries it for five seconds; raises BadSetting."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            raise BadSetting(
                f"port {port}: {error.strerror}; SAGEMAKER_BIND_TO_PORT names another"
            ) from error


def _writable_folder() -> str:
    """Return where each worker may keep the empty file by which it shows that it lives (contract 4.8); raises BadSetting."""
    for folder in SCRATCH:
        if os.access(folder, os.W_OK):
            return folder
    raise BadSetting(
        f"none of {', '.join(SCRATCH)} can be written to: docker run --read-only needs --tmpfs /tmp"
    )


def _broken_payload(error: ParseException) -> Response:
    """HttpResponse a body whose chunks are no chunks, which gunicorn notices only when it is read."""
    return caller_error(IncompleteBody(f"the body broke off: {SENT}", str(error)))
