"""Payload: the body of a request, read whole and within bounds, through either front end."""

import math
import socket
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from flask import Request

from serve.errors import BodyTimeout, IncompleteBody, PayloadTooLarge
from serve.text import counted

# A caller that stops in the middle of a body holds a connection; the platform itself sends without a pause.
STALL_SECONDS = 30.0
PIECE_BYTES = 1 << 20
# A caller reads the answer only after it has sent its body (contract 3.11); beyond this much it must do without.
MOST_DRAINED_BYTES = 1 << 30


def read_body(http: Request, most: float) -> bytes:
    """Return the body of Flask's request; raises PayloadTooLarge above ``most`` bytes, IncompleteBody if it stalls or breaks off."""
    connection: socket.socket | None = http.environ.get("gunicorn.socket")
    try:
        if connection:
            connection.settimeout(STALL_SECONDS)
        return _read(http, most)
    except TimeoutError as error:
        raise _stalled() from error
    except OSError as error:
        raise IncompleteBody(f"the body broke off: {error}") from error
    finally:
        if connection:
            connection.settimeout(None)


async def receive_body(
    receive: Callable[[], Awaitable[dict[str, Any]]], announced: int | None, most: float
) -> bytes:
    """Return the body that an ASGI server brings, which itself gives up after STALL_SECONDS; raises as ``read_body`` does.

    ``receive`` may raise EOFError where no more of the body will come.
    """
    pieces: list[bytes] = []
    came, more = 0, True
    while more:
        waiting_since = monotonic()
        try:
            message = await receive()
        except EOFError as error:
            raise _broken(announced, came) from error
        if message["type"] == "http.disconnect":
            raise (
                _stalled()
                if monotonic() - waiting_since >= STALL_SECONDS
                else _broken(announced, came)
            )
        piece = message["body"]
        more = message["more_body"] and came <= MOST_DRAINED_BYTES
        came += len(piece)
        if came <= most:
            pieces.append(piece)
        else:
            pieces.clear()
    if came > most:
        raise _too_large(announced or came, most)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _read(http: Request, most: float) -> bytes:
    announced = http.content_length
    payload = b""
    if announced is None or announced <= most:
        payload = http.stream.read() if math.isinf(most) else http.stream.read(int(most) + 1)
    if max(announced or 0, len(payload)) > most:
        drained = 0
        while drained < MOST_DRAINED_BYTES and (piece := http.stream.read(PIECE_BYTES)):
            drained += len(piece)
        raise _too_large(announced or len(payload) + drained, most)
    if announced is not None and len(payload) < announced:
        raise _broken(announced, len(payload))
    return payload


def _too_large(came: int, most: float) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"expected {int(most):,} bytes at most, got {came:,}; SAGEMAKER_MAX_PAYLOAD_IN_MB sets the limit"
    )


def _broken(announced: int | None, came: int) -> IncompleteBody:
    expected = "its end" if announced is None else counted(announced, "byte")
    return IncompleteBody(
        f"the body broke off: expected {expected}, got {came:,}"
        + (" bytes" if announced is None else "")
    )


def _stalled() -> BodyTimeout:
    return BodyTimeout(f"the body stopped for {STALL_SECONDS:.0f} seconds before its end")
