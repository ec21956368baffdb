"""The application: a model behind its routes, every failure one line of JSON."""

import json
import logging
import uuid
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from serve.errors import InvocationError
from serve.logs import event
from serve.model import Model, load
from serve.routes import routes, told_of_request
from serve.settings import Settings

# What the platform hands on of an error: contract 3.10.
LONGEST_ERROR_BYTES = 2048


def create_app(settings: Settings | None = None, model: Model | None = None) -> Flask:
    """Return the application, with the model of the settings' folder loaded if none is given; raises StartError."""
    settings = settings or Settings.from_env()
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(routes(model or load(settings), settings))
    app.register_error_handler(InvocationError, caller_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _own_error)
    return app


def error_line(error: str, message: str) -> bytes:
    """Return a failure as one short line of JSON."""
    line = json.dumps({"error": error, "message": message}, ensure_ascii=False).encode(errors="backslashreplace")
    if len(line) < LONGEST_ERROR_BYTES:
        return line + b"\n"
    return error_line(error, message[: len(message) * 3 // 4] + "…")


def caller_error(error: InvocationError) -> Response:
    """Return what answers a failure of the caller's."""
    log_failure(logging.WARNING, error.status, error=type(error).__name__, reason=error.reason)
    return Response(error_line(type(error).__name__, str(error)), error.status, content_type="application/json")


def _http_error(error: HTTPException) -> Response:
    """Answer what no route takes: the 404 and the 405, which names the methods that are allowed."""
    expected = "this server has GET /ping and POST /invocations"
    log_failure(logging.DEBUG, error.code or 0, error=type(error).__name__)
    body = error_line(type(error).__name__, f"{request.method} {request.path}: {expected}")
    headers = [header for header in error.get_headers() if header[0] != "Content-Type"]
    return Response(body, error.code, headers, content_type="application/json")


def _own_error(error: Exception) -> Response:
    """Answer a failure of the server itself; what it was stands in the log only."""
    request_id = log_failure(logging.ERROR, HTTPStatus.INTERNAL_SERVER_ERROR, traceback_of=error, error=type(error).__name__)
    body = error_line("InternalError", f"the server failed; its log tells more of request {request_id}")
    return Response(body, HTTPStatus.INTERNAL_SERVER_ERROR, content_type="application/json")


def log_failure(level: int, status: int, traceback_of: Exception | None = None, **fields: str) -> str:
    """Log a request that failed, without its payload; return its id."""
    request_id = uuid.uuid4().hex
    event(level, "failed", traceback_of, request_id=request_id, status=int(status), **fields, **told_of_request())
    return request_id
