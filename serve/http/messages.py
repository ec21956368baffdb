"""HttpResponse: what goes back over HTTP for what was asked, whichever front end it came through.

Source: contract 3.7 and 3.10.
"""

import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from serve.errors import InvocationError
from serve.logs import event
from serve.stopwatch import Stopwatch

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
LONGEST_CUSTOM_ATTRIBUTES = 1024
# What the platform hands on of an error: contract 3.10.
LONGEST_ERROR_BYTES = 2048
LONGEST_LOGGED = 200
JSON = "application/json"

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class HttpRequest:
    """A request as it is under way; its headers are None where they were not sent."""

    method: str
    path: str
    content_type: str | None = None
    accept: str | None = None
    content_encoding: str | None = None
    custom_attributes: str | None = None
    payload_bytes: int | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    takes_chunks: bool = False


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A status, headers and a body: whole, or in ``pieces``, which may raise AbortedStream."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    pieces: Iterator[bytes] | None = None


def echoed_attributes(asked: HttpRequest) -> Headers:
    """Return the request's custom attributes, as the caller expects and the platform does not do by itself: contract 3.7."""
    attributes = asked.custom_attributes
    if (
        attributes
        and len(attributes) <= LONGEST_CUSTOM_ATTRIBUTES
        and attributes.isascii()
        and attributes.isprintable()
    ):
        return ((CUSTOM_ATTRIBUTES, attributes),)
    return ()


def client_error(asked: HttpRequest, error: InvocationError) -> HttpResponse:
    """Return what answers a failure of the caller's."""
    _log_failure(
        asked, logging.WARNING, error.status, error=type(error).__name__, reason=error.reason
    )
    return _failure(asked, error.status, type(error).__name__, str(error), error.headers)


def routing_error(asked: HttpRequest, status: int, error: str, headers: Headers) -> HttpResponse:
    """Return what answers a path or a method that no route takes."""
    _log_failure(asked, logging.DEBUG, status, error=error)
    message = f"{asked.method} {asked.path}: this server has GET /ping, POST /invocations and GET /execution-parameters"
    return _failure(asked, status, error, message, headers)


def server_error(asked: HttpRequest, error: Exception) -> HttpResponse:
    """Return what answers a failure of the server itself; what it was stands in the log only."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    request_id = _log_failure(
        asked, logging.ERROR, status, traceback_of=error, error=type(error).__name__
    )
    return _failure(
        asked,
        status,
        "InternalError",
        f"the server failed; its log tells more of request {request_id}",
    )


def log_aborted_stream(asked: HttpRequest, error: Exception) -> None:
    """Log what broke a stream off whose status was sent already, as the same failure before it would be."""
    if isinstance(error, InvocationError):
        _log_failure(
            asked,
            logging.WARNING,
            error.status,
            event_name="broke off",
            error=type(error).__name__,
            reason=error.reason,
        )
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        _log_failure(
            asked,
            logging.ERROR,
            status,
            traceback_of=error,
            event_name="broke off",
            error=type(error).__name__,
        )


def error_body(error: str, message: str) -> bytes:
    """Return a failure as one short line of JSON."""
    line = json.dumps({"error": error, "message": message}, ensure_ascii=False).encode(
        errors="backslashreplace"
    )
    if len(line) < LONGEST_ERROR_BYTES:
        return line + b"\n"
    return error_body(error, message[: len(message) * 3 // 4] + "…")


def log_fields(asked: HttpRequest) -> dict[str, object]:
    """Return what the log tells of a request: names and sizes, never what is in it."""
    return {
        "method": asked.method,
        "path": asked.path[:LONGEST_LOGGED],
        "content_type": (asked.content_type or "")[:LONGEST_LOGGED],
        "payload_bytes": asked.payload_bytes,
        "milliseconds": asked.stopwatch.milliseconds(),
    }


def _failure(
    asked: HttpRequest, status: int, error: str, message: str, headers: Headers = ()
) -> HttpResponse:
    headers = (("Content-Type", JSON), *headers, *echoed_attributes(asked))
    return HttpResponse(int(status), headers, error_body(error, message))


def _log_failure(
    asked: HttpRequest,
    level: int,
    status: int,
    traceback_of: Exception | None = None,
    event_name: str = "failed",
    **fields: str,
) -> str:
    """Log a request that failed, without its payload; return its id."""
    request_id = uuid.uuid4().hex
    event(
        level,
        event_name,
        traceback_of,
        request_id=request_id,
        status=int(status),
        **fields,
        **log_fields(asked),
    )
    return request_id
