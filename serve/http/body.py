"""Read a whole request body within limits of size and time, through either front end."""

import math
from asyncio import timeout
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import IO, Any

from flask import Request

from serve.errors import BodyTimeout, IncompleteBody, PayloadTooLarge
from serve.http.held_bytes import Reservation
from serve.http.pace import STALL_SECONDS, describe_pace, describe_stall, is_too_slow
from serve.text import counted

Receive = Callable[[], Awaitable[dict[str, Any]]]

DRAIN_CHUNK_BYTES = 1 << 20
# A body of unknown size is read in small parts, because its size counts before all of it is here.
CHUNK_BYTES = 1 << 16
# A client reads the response only after it has sent its body (contract 3.11). Up to this size, a
# body that is too large is read and discarded, so the client gets its 413.
MAX_DRAINED_BYTES = 1 << 30


def read_body(request: Request, max_bytes: float, reservation: Reservation) -> bytes:
    """Return the body of a Flask request, for whose size there is a reservation if it is known.

    Raises PayloadTooLarge, IncompleteBody if the connection ends, and BodyTimeout if the WSGI
    server gives up on the client.
    """
    try:
        return _read(request, max_bytes, reservation)
    except TimeoutError as error:
        raise BodyTimeout(f"incomplete body: {error}") from error
    except OSError as error:
        raise IncompleteBody(f"incomplete body: {error}") from error


class BodyReceiver:
    """The ``receive`` of an ASGI request, which knows whether the body has arrived completely."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_complete = False

    async def __call__(self) -> dict[str, Any]:
        """Return the next message."""
        message = await self._receive()
        self.is_complete = not message.get("more_body", False)
        return message


async def receive_body(
    receive: Receive, content_length: int | None, max_bytes: float, reservation: Reservation
) -> bytes:
    """Return the body of an ASGI request; raises the same errors as ``read_body``.

    ``receive`` raises EOFError if the connection ended. The ASGI server itself disconnects a
    client that sends nothing for STALL_SECONDS.
    """
    chunks: list[bytes] = []
    received_bytes, more_body = 0, True
    started = monotonic()
    while more_body:
        waiting_since = monotonic()
        try:
            message = await receive()
        except EOFError as error:
            raise _build_incomplete_body(content_length, received_bytes) from error
        if message["type"] == "http.disconnect":
            if monotonic() - waiting_since >= STALL_SECONDS:
                raise BodyTimeout(f"incomplete body: {describe_stall()}")
            raise _build_incomplete_body(content_length, received_bytes)
        chunk = message["body"]
        more_body = message["more_body"] and received_bytes <= MAX_DRAINED_BYTES
        received_bytes += len(chunk)
        if more_body:
            _check_pace(received_bytes, monotonic() - started)
        if received_bytes <= max_bytes:
            reservation.grow_to(received_bytes)
            chunks.append(chunk)
        else:
            chunks.clear()
    if received_bytes > max_bytes:
        raise _build_payload_too_large(content_length or received_bytes, max_bytes)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def discard_body(receive: BodyReceiver) -> None:
    """Discard the rest of an ASGI request's body: many clients read the response only after it.

    Stop after MAX_DRAINED_BYTES or STALL_SECONDS.
    """
    discarded_bytes = 0
    with suppress(EOFError, TimeoutError, BodyTimeout):
        async with timeout(STALL_SECONDS):
            while not receive.is_complete and discarded_bytes <= MAX_DRAINED_BYTES:
                message = await receive()
                discarded_bytes += len(message.get("body", b""))


def check_size(content_length: int, max_bytes: float) -> None:
    """Raise PayloadTooLarge for a body that would be too large."""
    if content_length > max_bytes:
        raise _build_payload_too_large(content_length, max_bytes)


def drain_body(stream: IO[bytes]) -> None:
    """Discard the rest of a Flask request's body: many clients read the response only after it."""
    with suppress(Exception):  # the response has been sent
        _drain(stream)


def _check_pace(received_bytes: int, seconds: float) -> None:
    """Raise BodyTimeout if a body is sent too slowly."""
    if seconds > STALL_SECONDS and is_too_slow(received_bytes, seconds):
        raise BodyTimeout(f"incomplete body: {describe_pace(received_bytes, seconds)}")


def _read(request: Request, max_bytes: float, reservation: Reservation) -> bytes:
    content_length = request.content_length
    body = b""
    if content_length is None:
        body = _read_chunks(request, max_bytes, reservation)
    elif content_length <= max_bytes:
        read_all = math.isinf(max_bytes)
        body = request.stream.read() if read_all else request.stream.read(int(max_bytes) + 1)
    if max(content_length or 0, len(body)) > max_bytes:
        drained_bytes = _drain(request.stream)
        raise _build_payload_too_large(content_length or len(body) + drained_bytes, max_bytes)
    if content_length is not None and len(body) < content_length:
        raise _build_incomplete_body(content_length, len(body))
    return body


def _read_chunks(request: Request, max_bytes: float, reservation: Reservation) -> bytes:
    """Return a body without Content-Length, or a little more than ``max_bytes`` of it."""
    chunks: list[bytes] = []
    size = 0
    while size <= max_bytes and (chunk := request.stream.read(CHUNK_BYTES)):
        size += len(chunk)
        if size <= max_bytes:
            reservation.grow_to(size)
        chunks.append(chunk)
    return b"".join(chunks)


def _drain(stream: IO[bytes]) -> int:
    """Read and discard the rest of a body, up to MAX_DRAINED_BYTES; return its size."""
    drained_bytes = 0
    while drained_bytes < MAX_DRAINED_BYTES:
        chunk = stream.read(DRAIN_CHUNK_BYTES)
        if not chunk:
            break
        drained_bytes += len(chunk)
    return drained_bytes


def _build_payload_too_large(received_bytes: int, max_bytes: float) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"payload too large: expected at most {int(max_bytes):,} bytes, got {received_bytes:,}; "
        "SAGEMAKER_MAX_PAYLOAD_IN_MB sets the limit"
    )


def _build_incomplete_body(content_length: int | None, received_bytes: int) -> IncompleteBody:
    if content_length is None:
        received = counted(received_bytes, "byte")
        return IncompleteBody(f"incomplete body: got {received}, but not the last chunk")
    expected = counted(content_length, "byte")
    return IncompleteBody(f"incomplete body: expected {expected}, got {received_bytes:,}")
