"""Payload: the body of a request, read whole and within bounds."""

import math
import socket

from flask import Request

from serve.errors import BrokenPayload, PayloadTooLarge, StalledPayload
from serve.wording import counted

# A caller that stops in the middle of a body holds a thread; the platform itself sends without a pause.
STALL_SECONDS = 30.0
PIECE_BYTES = 1 << 20
# A caller reads the answer only after it has sent its body (contract 3.11); beyond this much it must do without.
MOST_DRAINED_BYTES = 1 << 30


def read_payload(http: Request, most: float) -> bytes:
    """Return the body; raises PayloadTooLarge above ``most`` bytes, and BrokenPayload if it stalls or breaks off."""
    connection: socket.socket | None = http.environ.get("gunicorn.socket")
    try:
        if connection:
            connection.settimeout(STALL_SECONDS)
        return _read(http, most)
    except TimeoutError as error:
        raise StalledPayload(f"the body stopped for {STALL_SECONDS:.0f} seconds before its end") from error
    except OSError as error:
        raise BrokenPayload(f"the body broke off: {error}") from error
    finally:
        if connection:
            connection.settimeout(None)


def _read(http: Request, most: float) -> bytes:
    announced = http.content_length
    payload = b""
    if announced is None or announced <= most:
        payload = http.stream.read() if math.isinf(most) else http.stream.read(int(most) + 1)
    if max(announced or 0, len(payload)) > most:
        drained = 0
        while drained < MOST_DRAINED_BYTES and (piece := http.stream.read(PIECE_BYTES)):
            drained += len(piece)
        came = f"{announced or len(payload) + drained:,}"
        raise PayloadTooLarge(f"expected {int(most):,} bytes at most, got {came}; SAGEMAKER_MAX_PAYLOAD_IN_MB sets the limit")
    if announced is not None and len(payload) < announced:
        raise BrokenPayload(f"the body broke off: expected {counted(announced, 'byte')}, got {len(payload):,}")
    return payload
