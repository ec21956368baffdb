"""HTTP requests and responses, independent of the front end.

Source: contract 3.7.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from serve.stopwatch import Stopwatch

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
MAX_CUSTOM_ATTRIBUTES_LENGTH = 1024
MAX_LOGGED_LENGTH = 200

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class HttpRequest:
    """The method, path and relevant headers of a request; a missing header is None.

    ``payload_bytes`` is the Content-Length at first, and the payload's size once it is decoded.
    """

    method: str
    path: str
    content_type: str | None = None
    accept: str | None = None
    content_encoding: str | None = None
    custom_attributes: str | None = None
    payload_bytes: int | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    accepts_chunked: bool = False


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A status, headers, and a body or, if streamed, chunks, which may raise AbortedStream."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    chunks: Iterator[bytes] | None = None


def echo_custom_attributes(request: HttpRequest) -> Headers:
    """Return the request's custom attributes as a header of the response.

    Clients expect the attributes in the response, and SageMaker requires the container to return
    them (contract 3.7). Attributes that are too long or not visible ASCII are dropped.
    """
    attributes = request.custom_attributes
    if (
        attributes
        and len(attributes) <= MAX_CUSTOM_ATTRIBUTES_LENGTH
        and attributes.isascii()
        and attributes.isprintable()
    ):
        return ((CUSTOM_ATTRIBUTES, attributes),)
    return ()


def build_log_fields(request: HttpRequest) -> dict[str, object]:
    """Return the fields that the log contains for a request, which never include payload data."""
    return {
        "method": request.method,
        "path": request.path[:MAX_LOGGED_LENGTH],
        "content_type": (request.content_type or "")[:MAX_LOGGED_LENGTH],
        "payload_bytes": request.payload_bytes,
        "milliseconds": request.stopwatch.milliseconds(),
    }
