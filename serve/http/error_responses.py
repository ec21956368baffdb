"""Log errors, and turn each of them into a response with one line of JSON.

Source: contract 3.10.
"""

import json
import logging
import uuid
from http import HTTPStatus

from serve.errors import InvocationError
from serve.http.messages import (
    Headers,
    HttpRequest,
    HttpResponse,
    build_log_fields,
    echo_custom_attributes,
)
from serve.logs import log_event
from serve.media_types import JSON

# SageMaker forwards at most this much of an error response: contract 3.10.
MAX_ERROR_BYTES = 2048
REQUEST_FAILED = "request failed"
STREAM_ABORTED = "stream aborted"


def handle_client_error(request: HttpRequest, error: InvocationError) -> HttpResponse:
    """Log a client's error as a warning, and return the response to it."""
    _log_client_error(REQUEST_FAILED, request, error)
    return _build_response(request, error.status, type(error).__name__, str(error), error.headers)


def handle_routing_error(
    request: HttpRequest, status: int, error_name: str, headers: Headers
) -> HttpResponse:
    """Log an unknown path or a method that is not allowed at DEBUG, and return the response."""
    _log_failure(REQUEST_FAILED, logging.DEBUG, request, status, error=error_name)
    message = (
        f"{request.method} {request.path}: no such route; "
        "expected GET /ping, POST /invocations or GET /execution-parameters"
    )
    return _build_response(request, status, error_name, message, headers)


def handle_server_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log a bug with its traceback, and return a response with only the request's ID."""
    request_id = _log_server_error(REQUEST_FAILED, request, error)
    message = f"internal server error; see request {request_id} in the server log"
    return _build_response(request, HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", message)


def log_aborted_stream(request: HttpRequest, error: Exception) -> None:
    """Log the error that aborted a stream, after its status was sent."""
    if isinstance(error, InvocationError):
        _log_client_error(STREAM_ABORTED, request, error)
    else:
        _log_server_error(STREAM_ABORTED, request, error)


def encode_error(error_name: str, message: str) -> bytes:
    """Return an error as one short line of JSON; a long message is truncated."""
    document = json.dumps({"error": error_name, "message": message}, ensure_ascii=False)
    line = document.encode(errors="backslashreplace")
    if len(line) < MAX_ERROR_BYTES:
        return line + b"\n"
    return encode_error(error_name, message[: len(message) * 3 // 4] + "…")


def _build_response(
    request: HttpRequest, status: int, error_name: str, message: str, headers: Headers = ()
) -> HttpResponse:
    headers = (("Content-Type", JSON), *headers, *echo_custom_attributes(request))
    return HttpResponse(int(status), headers, encode_error(error_name, message))


def _log_client_error(event: str, request: HttpRequest, error: InvocationError) -> None:
    _log_failure(
        event,
        logging.WARNING,
        request,
        error.status,
        error=type(error).__name__,
        reason=error.reason,
    )


def _log_server_error(event: str, request: HttpRequest, error: Exception) -> str:
    """Log a bug with its traceback; return the request's ID."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _log_failure(
        event, logging.ERROR, request, status, traceback_of=error, error=type(error).__name__
    )


def _log_failure(
    event: str,
    level: int,
    request: HttpRequest,
    status: int,
    traceback_of: Exception | None = None,
    **fields: str,
) -> str:
    """Log a request that failed under a new ID, and return that ID."""
    request_id = uuid.uuid4().hex
    log_event(
        level,
        event,
        traceback_of,
        request_id=request_id,
        status=int(status),
        **fields,
        **build_log_fields(request),
    )
    return request_id
