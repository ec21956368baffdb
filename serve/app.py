"""The application: a model behind its routes, every failure one line of JSON."""

import json
import logging
import uuid

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from serve.errors import BrokenPayload, InvocationError
from serve.model import load
from serve.routes import routes
from serve.settings import Settings

# What the platform hands on of an error: contract 3.10.
LONGEST_ERROR_BYTES = 2048

log = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application with its model loaded and warmed up; raises StartError."""
    settings = settings or Settings.from_env()
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(routes(load(settings), settings))
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
    response = Response(error_line(type(error).__name__, str(error)), error.status, content_type="application/json")
    if isinstance(error, BrokenPayload):
        response.headers["Connection"] = "close"  # the rest of the body may still come
    return response


def _http_error(error: HTTPException) -> Response:
    """Answer what no route takes: the 404 and the 405, which names the methods that are allowed."""
    expected = "this server has GET /ping and POST /invocations"
    body = error_line(type(error).__name__, f"{request.method} {request.path}: {expected}")
    headers = [header for header in error.get_headers() if header[0] != "Content-Type"]
    return Response(body, error.code, headers, content_type="application/json")


def _own_error(error: Exception) -> Response:
    """Answer a failure of the server itself; what it was stands in the log only."""
    request_id = uuid.uuid4().hex
    log.error("%s %s failed, request %s", request.method, request.path, request_id, exc_info=error)
    body = error_line("InternalError", f"the server failed; its log tells more of request {request_id}")
    return Response(body, 500, content_type="application/json")
