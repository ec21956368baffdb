"""An invocation and its response, independent of HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from serve.limits import UNLIMITED, HoldResponse, Limits, ignore_size


def ignore_caller() -> None:
    """Do nothing, because no client is waiting for the response."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A payload with its media type, the media type of its response, and the limits of both.

    ``check_caller`` is called between slices, and may raise an error to end the invocation.
    ``hold_response`` is called with the size of the response so far, and with estimates of it; it
    may raise an error, too.
    """

    payload: bytes
    media_type: str
    parameters: Mapping[str, str]
    accept: str
    accept_parameters: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = UNLIMITED
    check_caller: Callable[[], None] = ignore_caller
    hold_response: HoldResponse = ignore_size


@dataclass(frozen=True, slots=True)
class Response:
    """Encoded predictions, one for each record of the payload, in order.

    A large response consists of several pieces, which are not joined to save memory.
    """

    pieces: list[bytes]
    media_type: str

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)
