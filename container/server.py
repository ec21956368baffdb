"""gunicorn, configured by the settings; it loads the model before it forks its workers."""

import gc
import logging
import sys
from typing import Any

import xgboost
from flask import Response
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.http.errors import ParseException

from container.arbiter import ResilientArbiter, unblock_signals
from container.asgi_server.worker import AsgiWorker
from container.connection_counts import CONNECTION_COUNTS
from container.flask_server.worker import FlaskWorker
from container.listener import bind, describe, hand_over, listen
from container.memory import release_free_memory
from container.startup import Prepared, prepare
from serve import __version__
from serve.app import build_app, respond_to_client_error
from serve.errors import SENT, AbortedStream, IncompleteBody
from serve.http.asgi import AsgiFrontEnd
from serve.http.error_responses import INVALID_REQUEST
from serve.http.execution_parameters import build_execution_parameters
from serve.logs import configure, log_event
from serve.model.summary import summarize
from serve.settings import Settings

# A worker's heartbeat comes from its event loop, which goes on while threads predict.
MAX_STUCK_SECONDS = 30
FRONT_ENDS: dict[str, dict[str, Any]] = {
    "asgi": {"worker_class": AsgiWorker, "asgi_loop": "asyncio", "asgi_lifespan": "off"},
    # Each client that sends its body slowly occupies a thread. There are many threads, because a
    # waiting thread costs little.
    "flask": {"worker_class": FlaskWorker, "threads": 128},
}


class Server(BaseApplication):
    """gunicorn with a loaded application, whose memory its workers share."""

    def __init__(self, settings: Settings) -> None:
        """Load the model without opening the port yet; raises StartupError."""
        configure(settings.log_level)
        listeners = bind(settings.port)
        prepared = prepare(settings)
        self.application = _build_application(prepared, settings)
        self.options = build_options(settings, prepared.sizing.workers, prepared.heartbeat_folder)
        self.startup_fields = {
            "version": __version__,
            "xgboost": xgboost.__version__,
            "port": settings.port,
            "addresses": describe(listeners),
            "frontend": settings.frontend,
            "batch": settings.batch,
            "sizing": prepared.sizing.reason,
            "self_test_records": prepared.self_test_records,
            **summarize(prepared.model),
        }
        super().__init__()
        # Exclude pre-fork objects from garbage collection, so workers keep sharing their pages.
        gc.collect()
        release_free_memory()
        gc.freeze()
        listen(listeners)
        self._listeners = listeners

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)
        self.cfg.set("on_exit", lambda _: log_event(logging.INFO, "server stopped"))
        self.cfg.set("post_worker_init", lambda _: unblock_signals())
        self.cfg.set("child_exit", lambda _, worker: CONNECTION_COUNTS.remove(worker.age))

    def load(self) -> Any:
        return self.application

    def run(self) -> None:
        arbiter = ResilientArbiter(self, self._log_start)
        arbiter.LISTENERS = hand_over(self._listeners, self.cfg, arbiter.log)
        arbiter.run()

    def _log_start(self) -> None:
        log_event(logging.INFO, "server started", **self.startup_fields)


class GunicornLog(GunicornLogger):
    """Logs gunicorn's messages as events, without the parts that could quote a payload."""

    def setup(self, _cfg: Any) -> None:
        self.error_log.propagate = True

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        # Both workers log invalid requests themselves, with an ID. gunicorn quotes the invalid
        # bytes, which may belong to a payload.
        if not msg.startswith(INVALID_REQUEST):
            super().warning(msg, *args, **kwargs)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        # A client's timeout is not a server error, and an aborted stream has already been logged.
        if not isinstance(sys.exc_info()[1], TimeoutError | AbortedStream):
            super().exception(msg, *args, **kwargs)


def build_options(settings: Settings, workers: int, heartbeat_folder: str) -> dict[str, Any]:
    """Return gunicorn's settings."""
    return FRONT_ENDS[settings.frontend] | {
        "workers": workers,
        "preload_app": True,
        "worker_tmp_dir": heartbeat_folder,
        # Both front ends extend this parser; gunicorn prefers another one if that is installed.
        "http_parser": "python",
        # By default, gunicorn accepts SCRIPT_NAME from the loopback, which would change the routes.
        "forwarder_headers": "",
        # The socket would be in the home folder, which may be read-only.
        "control_socket_disable": True,
        "timeout": min(settings.worker_timeout_seconds, MAX_STUCK_SECONDS),
        "graceful_timeout": 20,  # SIGKILL follows 30 s after SIGTERM: contract 1.3
        "keepalive": 75,  # SageMaker's own idle timeout is not documented: contract 14
        "logger_class": GunicornLog,
    }


def _build_application(prepared: Prepared, settings: Settings) -> Any:
    """Return the WSGI or ASGI application that the settings select."""
    responder, sizing = prepared.responder, prepared.sizing
    flask_app = build_app(
        responder, build_execution_parameters(settings, sizing.workers), sizing.threads
    )
    flask_app.register_error_handler(ParseException, _respond_to_parse_error)
    if settings.frontend == "asgi":
        return AsgiFrontEnd(responder, flask_app, sizing.threads, fast_path=settings.fast_path)
    return flask_app


def _respond_to_parse_error(error: ParseException) -> Response:
    """Return status 400 for invalid chunks, which gunicorn detects only in reading the body."""
    return respond_to_client_error(IncompleteBody(f"incomplete body: {SENT}", str(error)))
