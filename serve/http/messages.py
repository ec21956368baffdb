"""Answer: what goes back over HTTP for what was asked, whichever door it came through.

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
from serve.stopwatch import Stages

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
LONGEST_CUSTOM_ATTRIBUTES = 1024
# What the platform hands on of an error: contract 3.10.
LONGEST_ERROR_BYTES = 2048
LONGEST_LOGGED = 200
JSON = "application/json"

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Asked:
    """A request as it is under way; its headers are None where they were not sent."""

    method: str
    path: str
    content_type: str | None = None
    accept: str | None = None
    content_encoding: str | None = None
    custom_attributes: str | None = None
    payload_bytes: int | None = None
    stages: Stages = field(default_factory=Stages)
    takes_chunks: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body: whole, or in ``pieces``, which may raise BrokenStream."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    pieces: Iterator[bytes] | None = None


def returned_attributes(asked: Asked) -> Headers:
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


def caller_failed(asked: Asked, error: InvocationError) -> Answer:
    """Return what answers a failure of the caller's."""
    _log_failure(
        asked, logging.WARNING, error.status, error=type(error).__name__, reason=error.reason
    )
    return _failure(asked, error.status, type(error).__name__, str(error), error.headers)


def path_failed(asked: Asked, status: int, error: str, headers: Headers) -> Answer:
    """Return what answers a path or a method that no route takes."""
    _log_failure(asked, logging.DEBUG, status, error=error)
    message = f"{asked.method} {asked.path}: this server has GET /ping, POST /invocations and GET /execution-parameters"
    return _failure(asked, status, error, message, headers)


def server_failed(asked: Asked, error: Exception) -> Answer:
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


def broke_off(asked: Asked, error: Exception) -> None:
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


def error_line(error: str, message: str) -> bytes:
    """Return a failure as one short line of JSON."""
    line = json.dumps({"error": error, "message": message}, ensure_ascii=False).encode(
        errors="backslashreplace"
    )
    if len(line) < LONGEST_ERROR_BYTES:
        return line + b"\n"
    return error_line(error, message[: len(message) * 3 // 4] + "…")


def told_of(asked: Asked) -> dict[str, object]:
    """Return what the log tells of a request: names and sizes, never what is in it."""
    return {
        "method": asked.method,
        "path": asked.path[:LONGEST_LOGGED],
        "content_type": (asked.content_type or "")[:LONGEST_LOGGED],
        "payload_bytes": asked.payload_bytes,
        "milliseconds": asked.stages.milliseconds(),
    }


def _failure(asked: Asked, status: int, error: str, message: str, headers: Headers = ()) -> Answer:
    headers = (("Content-Type", JSON), *headers, *returned_attributes(asked))
    return Answer(int(status), headers, error_line(error, message))


def _log_failure(
    asked: Asked,
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
        **told_of(asked),
    )
    return request_id
