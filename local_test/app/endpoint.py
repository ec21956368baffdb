"""The endpoint as the application sees it: a payload goes there, and an exchange or one named failure comes back.

EndpointError
├── EndpointUnreachable   nothing answers there
├── EndpointTimeout       no reply in time
├── ErrorResponse       the endpoint said no, and why
└── InvalidResponse    what came back is not a reply
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Protocol

Headers = tuple[tuple[str, str], ...]
MOST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response, as they went over the wire; ``status`` is 0 before a response came."""

    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status: int = 0
    reason: str = ""
    response_headers: Headers = ()
    response_body: bytes = b""


class Endpoint(Protocol):
    """Where records become predictions; one module for each way to it."""

    place: str

    def invoke(self, payload: bytes, content_type: str, accept: str) -> Exchange:
        """Send a payload, and return the exchange, whose status is 200; raises EndpointError."""


class EndpointError(Exception):
    """An invocation without predictions, said to the application's user; ``exchange`` is how far it came."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_GATEWAY
    title: ClassVar[str] = "The endpoint failed"

    def __init__(self, message: str, exchange: Exchange | None = None) -> None:
        super().__init__(message)
        self.exchange = exchange


class EndpointUnreachable(EndpointError):
    """Nothing answers there."""

    title = "The endpoint does not answer"


class EndpointTimeout(EndpointError):
    """No reply in time."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    title = "The endpoint takes too long"


class InvalidResponse(EndpointError):
    """What came back is not a reply."""

    title = "The endpoint’s reply makes no sense"


class ErrorResponse(EndpointError):
    """The endpoint said no; ``is_input_error`` tells whether another record could do better."""

    title = "The endpoint refuses"

    def __init__(self, message: str, exchange: Exchange, original_status: int) -> None:
        super().__init__(message, exchange)
        self.is_input_error = original_status == HTTPStatus.BAD_REQUEST


def accepted(exchange: Exchange) -> Exchange:
    """Return an exchange whose status is 200; raises ErrorResponse, or InvalidResponse."""
    if exchange.status == HTTPStatus.OK:
        return exchange
    if exchange.status < HTTPStatus.BAD_REQUEST:
        raise InvalidResponse(
            f"It answered {exchange.status} {exchange.reason}, where 200 OK was expected. Is this an endpoint?",
            exchange,
        )
    raise refusal(exchange, exchange.status, exchange.response_body)


def refusal(exchange: Exchange, status: int, body: bytes) -> ErrorResponse:
    """Return the failure that a reply's line of JSON tells, or its status where there is none."""
    try:
        message = str(json.loads(body)["message"])[:MOST_WORDS]
    except (ValueError, KeyError, TypeError, RecursionError):
        message = f"It answered {status} without saying why."
        if status == HTTPStatus.NOT_FOUND:
            message += " Is this an endpoint? That of “make runtime” is called with VIA=runtime."
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        message = f"It is busy; try again in a moment. ({message})"
    return ErrorResponse(message, exchange, status)
