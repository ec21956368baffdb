"""The failures of the server and what each one answers.

ServeError
├── InvocationError               one JSON line with the status beside it
│   ├── MalformedPayload      400  the bytes are not what the media type says
│   ├── SchemaMismatch           400  a record does not fit the schema
│   │   └── HeaderMismatch       400  the columns' names are not the schema's
│   ├── NotAcceptable         406  no reply of a type that Accept allows
│   ├── IncompleteBody         400  the body did not arrive whole
│   │   └── BodyTimeout    408  the caller stopped in the middle of it
│   ├── PayloadTooLarge       413
│   ├── UnsupportedMediaType  415  no codec for the Content-Type
│   └── Overloaded            503  too many invocations wait
├── AbortedStream                  a reply under way breaks off: its status is sent already
└── StartupError                    the operator's: one line, and the server does not start
    ├── BadSetting
    └── BadArtifact
"""

from http import HTTPStatus
from typing import ClassVar

# Stands in a reason for what the caller sent.
SENT = "{sent}"


class ServeError(Exception):
    """Something that went wrong and whose message is meant for a person."""


class InvocationError(ServeError):
    """An invocation that is answered with ``status`` and ``headers``.

    ``reason`` is the message with SENT where it quotes the payload: what may stand in a log.
    """

    status: ClassVar[HTTPStatus]
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init__(self, reason: str, sent: str = "") -> None:
        super().__init__(reason.replace(SENT, sent))
        self.reason = reason


class MalformedPayload(InvocationError):
    """The payload cannot be read as its media type."""

    status = HTTPStatus.BAD_REQUEST


class SchemaMismatch(InvocationError):
    """A record can be read, but not as the features of this model."""

    status = HTTPStatus.BAD_REQUEST


class HeaderMismatch(SchemaMismatch):
    """The names of the columns, in a line of their own, are not those of this model."""


class NotAcceptable(InvocationError):
    """Accept allows none of the media types that the server answers."""

    status = HTTPStatus.NOT_ACCEPTABLE


class IncompleteBody(InvocationError):
    """The body did not arrive whole, and the connection is of no more use."""

    status = HTTPStatus.BAD_REQUEST


class BodyTimeout(IncompleteBody):
    """The caller stopped in the middle of the body."""

    status = HTTPStatus.REQUEST_TIMEOUT


class PayloadTooLarge(InvocationError):
    """The payload is longer than the server takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(InvocationError):
    """No codec reads the payload's media type."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class Overloaded(InvocationError):
    """Too many invocations wait already, and `Retry-After` says when to try again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = (("Retry-After", "1"),)


class AbortedStream(ServeError):
    """What ends a stream that cannot go on, and with it the connection; the log tells more."""


class StartupError(ServeError):
    """The server cannot start."""


class BadSetting(StartupError):
    """An environment variable holds a value that means nothing."""


class BadArtifact(StartupError):
    """The model folder holds no model that can be served."""
