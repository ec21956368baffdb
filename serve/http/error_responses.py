"""Log errors, and turn each of them into a response with one line of JSON.

Source: contract 3.10.
"""

import json
import logging
from http import HTTPStatus

from serve.errors import ClientDisconnected, InvocationError
from serve.http.messages import (
    REQUEST_ID,
    Headers,
    HttpRequest,
    HttpResponse,
    build_log_fields,
    create_request_id,
    echo_custom_attributes,
    identify,
)
from serve.logs import log_event
from serve.media.types import JSON

# SageMaker forwards at most this much of an error response: contract 3.10.
MAX_ERROR_BYTES = 2048
# Followed by the client's address.
INVALID_REQUEST = "Invalid request from ip="
REQUEST_FAILED = "request failed"
STREAM_ABORTED = "stream aborted"
INTERNAL_ERROR = "InternalError"
EXPECTED_ROUTES = (
    "expected GET /ping, POST /invocations, GET /execution-parameters, GET /openapi.json or GET /"
)
# Not a registered status: nginx and others log it, and no client receives it.
CLIENT_CLOSED_REQUEST = 499


def handle_client_error(request: HttpRequest, error: InvocationError) -> HttpResponse:
    """Log a client's error as a warning, and return the response to it."""
    _log_client_error(REQUEST_FAILED, request, error)
    return _build_response(request, error.status, type(error).__name__, str(error), error.headers)


def handle_routing_error(
    request: HttpRequest, status: int, error_name: str, headers: Headers
) -> HttpResponse:
    """Log an unknown path or a method that is not allowed at DEBUG, and return the response."""
    _log_failure(REQUEST_FAILED, logging.DEBUG, request, status, error=error_name)
    problem = "wrong method" if status == HTTPStatus.METHOD_NOT_ALLOWED else "no such route"
    message = f"{request.method} {request.path}: {problem}; {EXPECTED_ROUTES}"
    return _build_response(request, status, error_name, message, headers)


def handle_server_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log a bug with its traceback, and return a response with only the request's ID."""
    _log_server_error(REQUEST_FAILED, request, error)
    message = f"internal server error; see request {identify(request)} in the server log"
    return _build_response(request, HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR, message)


def handle_invalid_http(client: str, status: int, phrase: str, detail: str) -> HttpResponse:
    """Log what is not a valid HTTP request, or gunicorn's own failure; return the response to it.

    The log does not contain the detail, which may quote a payload.
    """
    request_id = create_request_id()
    error_name = "".join(phrase.split())
    message = f"invalid HTTP request: {detail}" if detail else "invalid HTTP request"
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        error_name = INTERNAL_ERROR
        message = f"internal server error; see request {request_id} in the server log"
    log_event(
        logging.WARNING, f"{INVALID_REQUEST}{client}", request_id=request_id, error=error_name
    )
    headers = (("Content-Type", JSON), (REQUEST_ID, request_id))
    return HttpResponse(status, headers, encode_error(error_name, message, request_id))


def log_disconnect(request: HttpRequest, error: ClientDisconnected) -> None:
    """Log that a request was abandoned, with nginx's status for that."""
    error_name = type(error).__name__
    _log_failure(
        REQUEST_FAILED,
        logging.WARNING,
        request,
        CLIENT_CLOSED_REQUEST,
        error=error_name,
        reason=str(error),
    )


def log_aborted_stream(request: HttpRequest, error: Exception) -> None:
    """Log the error that aborted a stream, after its status was sent."""
    if isinstance(error, ClientDisconnected):
        log_disconnect(request, error)
    elif isinstance(error, InvocationError):
        _log_client_error(STREAM_ABORTED, request, error)
    else:
        _log_server_error(STREAM_ABORTED, request, error)


def encode_error(error_name: str, message: str, request_id: str) -> bytes:
    """Return an error as one short line of JSON; a long message is truncated."""
    fields = {"error": error_name, "message": message, "request_id": request_id}
    line = json.dumps(fields, ensure_ascii=False).encode(errors="backslashreplace")
    if len(line) < MAX_ERROR_BYTES:
        return line + b"\n"
    return encode_error(error_name, message[: len(message) * 3 // 4] + "…", request_id)


def _build_response(
    request: HttpRequest, status: int, error_name: str, message: str, headers: Headers = ()
) -> HttpResponse:
    request_id = identify(request)
    headers = (
        ("Content-Type", JSON),
        (REQUEST_ID, request_id),
        *headers,
        *echo_custom_attributes(request),
    )
    return HttpResponse(int(status), headers, encode_error(error_name, message, request_id))


def _log_client_error(event: str, request: HttpRequest, error: InvocationError) -> None:
    _log_failure(
        event,
        logging.WARNING,
        request,
        error.status,
        error=type(error).__name__,
        reason=error.reason,
    )


def _log_server_error(event: str, request: HttpRequest, error: Exception) -> None:
    """Log a bug with its traceback."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    _log_failure(
        event, logging.ERROR, request, status, traceback_of=error, error=type(error).__name__
    )


def _log_failure(
    event: str,
    level: int,
    request: HttpRequest,
    status: int,
    traceback_of: Exception | None = None,
    **fields: str,
) -> None:
    log_event(level, event, traceback_of, **build_log_fields(request), status=int(status), **fields)
