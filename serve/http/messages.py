"""HTTP requests and responses, independent of the front end.

Source: contract 3.3, 3.7 and 3.10.
"""

import re
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from serve.errors import HeaderTooLong
from serve.http.caller import Caller
from serve.http.held_bytes import Reservation
from serve.stopwatch import Stopwatch

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
REQUEST_ID = "X-Request-Id"
# A client's ID, such as a UUID, appears in the log, so its length and characters are limited.
VALID_REQUEST_ID = re.compile(r"[!-~]{1,128}")
# SageMaker's own limit for custom attributes, Content-Type and Accept: contract 3.3.
MAX_HEADER_LENGTH = 1024
MAX_LOGGED_LENGTH = 200

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class HttpRequest:
    """The method, path and relevant headers of a request; a missing header is None.

    ``payload_bytes`` is the Content-Length at first, and the payload's size once it is decoded.
    ``request_id`` is what the client sent at first; see ``identify``. ``awaits_continue`` is
    whether the client waits for status 100, or a rejection, before it sends the body.
    """

    method: str
    path: str
    content_type: str | None = None
    accept: str | None = None
    content_encoding: str | None = None
    custom_attributes: str | None = None
    request_id: str | None = None
    payload_bytes: int | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    accepts_chunked: bool = False
    awaits_continue: bool = False
    caller: Caller = field(default_factory=Caller)
    reservation: Reservation | None = None
    on_fast_path: bool = False


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A status, headers, and a body or, if streamed, chunks, which may raise AbortedStream.

    A large body is in ``pieces``, and ``body`` is empty. The front end removes each piece when it
    is sent. The response to HEAD omits the ``omitted_bytes`` of the body.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    chunks: Iterator[bytes] | None = None
    pieces: deque[bytes] | None = None
    omitted_bytes: int = 0

    @property
    def content_length(self) -> int:
        """The size of a body that is not streamed."""
        if self.pieces is None:
            return len(self.body) + self.omitted_bytes
        return sum(map(len, self.pieces))


def check_header_lengths(request: HttpRequest) -> None:
    """Raise HeaderTooLong for a header that SageMaker itself would reject.

    The joined values of a repeated header count together. A longer value could take seconds to
    parse, and megabytes in a cache.
    """
    headers = (
        ("Content-Type", request.content_type),
        ("Accept", request.accept),
        ("Content-Encoding", request.content_encoding),
    )
    for name, value in headers:
        if value is not None and len(value) > MAX_HEADER_LENGTH:
            raise HeaderTooLong(
                f"{name}: expected at most {MAX_HEADER_LENGTH:,} characters, got {len(value):,}"
            )


def echo_custom_attributes(request: HttpRequest) -> Headers:
    """Return the request's custom attributes as a header of the response.

    Clients expect the attributes in the response, and SageMaker requires the container to return
    them (contract 3.7). Attributes that are too long or not visible ASCII are dropped.
    """
    attributes = request.custom_attributes
    if (
        attributes
        and len(attributes) <= MAX_HEADER_LENGTH
        and attributes.isascii()
        and attributes.isprintable()
    ):
        return ((CUSTOM_ATTRIBUTES, attributes),)
    return ()


def identify(request: HttpRequest) -> str:
    """Return the ID of a request in the log and in its response, always the same one.

    It is the client's X-Request-Id if that is valid, and a new one otherwise. Only errors and
    logs need an ID, so it is created when it is first asked for.
    """
    if request.request_id is None or not VALID_REQUEST_ID.fullmatch(request.request_id):
        request.request_id = create_request_id()
    return request.request_id


def create_request_id() -> str:
    """Return a new ID of 32 hexadecimal digits."""
    return uuid.uuid4().hex


def build_log_fields(request: HttpRequest) -> dict[str, object]:
    """Return the fields that the log contains for a request, which never include payload data."""
    return {
        "request_id": identify(request),
        "method": request.method,
        "path": request.path[:MAX_LOGGED_LENGTH],
        "content_type": (request.content_type or "")[:MAX_LOGGED_LENGTH],
        "payload_bytes": request.payload_bytes,
        "milliseconds": request.stopwatch.milliseconds(),
    }
