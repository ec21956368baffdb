"""The interface to an endpoint: send a payload, get its response or an EndpointError.

EndpointError
├── EndpointUnreachable   the endpoint did not accept the connection
├── EndpointTimeout       the response did not arrive within the timeout
├── ErrorResponse         the endpoint returned a 4xx or 5xx status
└── InvalidResponse       the response is not one that an endpoint returns
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Protocol

Headers = tuple[tuple[str, str], ...]
MAX_MESSAGE_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Exchange:
    """An HTTP request and its response, exactly as sent; ``status`` is 0 if no response arrived."""

    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status: int = 0
    reason: str = ""
    response_headers: Headers = ()
    response_body: bytes = b""


class Endpoint(Protocol):
    """Anything that accepts a payload and returns predictions; ``address`` is how pages name it."""

    address: str

    def invoke(self, payload: bytes, content_type: str, accept: str) -> Exchange:
        """Send a payload and return the exchange, whose status is 200; raises EndpointError."""


class EndpointError(Exception):
    """An invocation failed; the message is for the person who uses the application.

    ``status`` and ``title`` are those of the page that reports it; ``exchange`` contains what was
    sent and received before the failure.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_GATEWAY
    title: ClassVar[str] = "The endpoint failed"

    def __init__(self, message: str, exchange: Exchange | None = None) -> None:
        super().__init__(message)
        self.exchange = exchange


class EndpointUnreachable(EndpointError):
    """The endpoint did not accept the connection."""

    title = "The endpoint cannot be reached"


class EndpointTimeout(EndpointError):
    """The response did not arrive within the timeout."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    title = "The endpoint timed out"


class InvalidResponse(EndpointError):
    """The response is not one that an endpoint returns."""

    title = "The endpoint’s response is invalid"


class ErrorResponse(EndpointError):
    """The endpoint returned a 4xx or 5xx status; ``is_input_error`` is true for a 400."""

    title = "The endpoint returned an error"

    def __init__(self, message: str, exchange: Exchange, original_status: int) -> None:
        super().__init__(message, exchange)
        self.is_input_error = original_status == HTTPStatus.BAD_REQUEST


def check_status(exchange: Exchange) -> Exchange:
    """Return an exchange whose status is 200; raises ErrorResponse or InvalidResponse."""
    if exchange.status == HTTPStatus.OK:
        return exchange
    if exchange.status < HTTPStatus.BAD_REQUEST:
        raise InvalidResponse(
            f"Expected status 200 OK, got {exchange.status} {exchange.reason}. "
            "Check that the address is an endpoint’s.",
            exchange,
        )
    raise build_error_response(exchange, exchange.status, exchange.response_body)


def build_error_response(exchange: Exchange, status: int, body: bytes) -> ErrorResponse:
    """Return the error for a 4xx or 5xx status, with the message of its JSON body if it has one."""
    try:
        message = escape_surrogates(str(json.loads(body)["message"])[:MAX_MESSAGE_CHARACTERS])
    except (ValueError, KeyError, TypeError, RecursionError):
        message = f"It returned status {status} without a message."
        if status == HTTPStatus.NOT_FOUND:
            message += (
                " Check that the address is an endpoint’s."
                " For the server that “make runtime” starts, use “make app VIA=runtime”."
            )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        message = f"It is busy. Try again in a moment. ({message})"
    return ErrorResponse(message, exchange, status)


def escape_surrogates(text: str) -> str:
    """Return a text with escapes for lone surrogates, which no page can contain."""
    return text.encode(errors="backslashreplace").decode()
