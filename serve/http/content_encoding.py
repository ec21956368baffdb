"""Decompress a request body as its Content-Encoding header requires.

Source: RFC 9110, section 8.4; RFC 1952.
"""

import io
import math
import zlib
from collections.abc import Callable

from serve.errors import MalformedPayload, PayloadTooLarge, UnsupportedMediaType
from serve.limits import ignore_size
from serve.text import quoted

GZIP = ("gzip", "x-gzip")
GZIP_WINDOW = 16 + zlib.MAX_WBITS
CHUNK_BYTES = 1 << 14
# A payload up to this size may have any ratio to its gzip body.
MIN_LIMITED_BYTES = 8 << 20


def decode_content(
    body: bytes,
    content_encoding: str | None,
    max_bytes: float,
    max_ratio: float = math.inf,
    hold: Callable[[int], None] = ignore_size,
) -> bytes:
    """Return the payload, decompressed if necessary.

    ``hold`` is called with the size of body and payload as they grow. Decompression stops soon
    after the payload exceeds ``max_bytes``, or both 8 MiB and ``max_ratio`` times the size of the
    body. Raises PayloadTooLarge then, UnsupportedMediaType for
    an encoding other than gzip, and MalformedPayload for invalid gzip data.
    """
    codings = [coding.strip().lower() for coding in (content_encoding or "").split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if not codings or not body:
        return body
    if len(codings) > 1 or codings[0] not in GZIP:
        raise UnsupportedMediaType(
            f"unsupported Content-Encoding {quoted(content_encoding)}: expected gzip or none"
        )
    return _gunzip(body, max_bytes, max_ratio, hold)


def _gunzip(body: bytes, max_bytes: float, max_ratio: float, hold: Callable[[int], None]) -> bytes:
    """Return the concatenated members of a gzip file."""
    payload = io.BytesIO()
    member = zlib.decompressobj(GZIP_WINDOW)
    for start in range(0, len(body), CHUNK_BYTES):
        chunk = body[start : start + CHUNK_BYTES]
        while chunk:
            if member.eof:
                member = zlib.decompressobj(GZIP_WINDOW)
            try:
                payload.write(member.decompress(chunk, CHUNK_BYTES))
            except zlib.error as error:
                raise MalformedPayload(
                    "Content-Encoding: gzip: the body is not valid gzip data"
                ) from error
            _check_size(len(body), payload.tell(), max_bytes, max_ratio)
            hold(len(body) + payload.tell())
            chunk = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise MalformedPayload("Content-Encoding: gzip: the body is truncated")
    return payload.getvalue()


def _check_size(body_bytes: int, payload_bytes: int, max_bytes: float, max_ratio: float) -> None:
    """Raise PayloadTooLarge if the part decompressed so far exceeds a limit."""
    if payload_bytes > max_bytes:
        raise PayloadTooLarge(
            f"payload too large: expected at most {int(max_bytes):,} bytes, "
            f"got more after decompressing {body_bytes:,} bytes; "
            "SAGEMAKER_MAX_PAYLOAD_IN_MB sets the limit"
        )
    if payload_bytes > max(MIN_LIMITED_BYTES, max_ratio * body_bytes):
        raise PayloadTooLarge(
            f"payload too large: expected at most {int(max_ratio):,} bytes for each byte of gzip, "
            f"got more after decompressing {body_bytes:,} bytes; "
            "SERVE_MAX_GZIP_RATIO sets the limit"
        )
