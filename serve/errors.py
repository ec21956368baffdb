"""The errors that the server raises, with the HTTP status of those that reach a client.

ServeError
├── InvocationError               rejects one invocation, with a status and a line of JSON
│   ├── MalformedPayload      400  the payload is not valid for its media type
│   ├── SchemaMismatch        400  a record does not match the schema
│   │   └── HeaderMismatch    400  the header's column names do not match the schema
│   ├── TooManyErrors         400  more records are invalid than row errors report
│   ├── IncompleteBody        400  the connection ended before the body did
│   │   └── BodyTimeout       408  the client stopped sending in the middle of the body
│   ├── NotAcceptable         406  Accept allows none of the media types of a response
│   ├── PayloadTooLarge       413  the payload exceeds a limit on its size or its records
│   ├── ResponseTooLarge      413  the response would exceed the size limit
│   ├── UnsupportedMediaType  415  no codec for the Content-Type or Content-Encoding
│   ├── HeaderTooLong         431  a header is longer than SageMaker allows
│   └── Overloaded            503  too many invocations are in flight
├── ClientDisconnected             ends an invocation whose client does not wait any longer
├── AbortedStream                  ends a streamed response whose status has been sent
└── StartupError                   prevents startup, with one line for the operator
    ├── BadSetting                 an environment variable
    └── BadArtifact                the model folder
"""

from http import HTTPStatus
from typing import ClassVar

# Placeholder in a reason for the quotation from the payload, and what a log has in its place.
SENT, REDACTED = "{sent}", "[redacted]"


class ServeError(Exception):
    """An error whose message is written for a person."""


class InvocationError(ServeError):
    """Rejects an invocation with ``status`` and ``headers``.

    The message may quote the payload, ``sent``, in place of SENT. The attribute ``reason`` is the
    same message without the quotation, so it can be logged.
    """

    status: ClassVar[HTTPStatus]
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init__(self, reason: str, sent: str = "") -> None:
        super().__init__(reason.replace(SENT, sent))
        self.reason = reason.replace(SENT, REDACTED)


class MalformedPayload(InvocationError):
    """The payload is not valid for its media type."""

    status = HTTPStatus.BAD_REQUEST


class SchemaMismatch(InvocationError):
    """A record does not match the model's schema."""

    status = HTTPStatus.BAD_REQUEST


class TooManyErrors(InvocationError):
    """More records are invalid than row errors report."""

    status = HTTPStatus.BAD_REQUEST


class HeaderMismatch(SchemaMismatch):
    """The header's column names do not match the model's."""


class IncompleteBody(InvocationError):
    """The connection ended before the body did."""

    status = HTTPStatus.BAD_REQUEST


class BodyTimeout(IncompleteBody):
    """The client stopped sending in the middle of the body, or sent it too slowly."""

    status = HTTPStatus.REQUEST_TIMEOUT


class NotAcceptable(InvocationError):
    """`Accept` allows none of the media types of a response."""

    status = HTTPStatus.NOT_ACCEPTABLE


class PayloadTooLarge(InvocationError):
    """The payload exceeds a limit on its size or its records."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class ResponseTooLarge(InvocationError):
    """The response would exceed the size limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(InvocationError):
    """The `Content-Type` or `Content-Encoding` is not supported."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class HeaderTooLong(InvocationError):
    """`Content-Type`, `Accept` or `Content-Encoding` is longer than SageMaker allows."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class Overloaded(InvocationError):
    """Too many invocations, or too large ones, are in flight; `Retry-After` gives the delay."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = (("Retry-After", "1"),)


class ClientDisconnected(ServeError):
    """Ends an invocation whose client does not wait for the response any longer."""


class AbortedStream(ServeError):
    """Ends a streamed response that cannot be completed; its cause is already in the log."""


class StartupError(ServeError):
    """Prevents startup."""


class BadSetting(StartupError):
    """An environment variable is unknown, or its value is not valid."""


class BadArtifact(StartupError):
    """The model folder does not contain a model that can be served."""
