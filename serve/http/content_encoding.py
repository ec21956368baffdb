"""Encoding: what Content-Encoding says of a body, undone within bounds.

Source: RFC 9110, section 8.4; RFC 1952.
"""

import io
import zlib

from serve.errors import MalformedPayload, PayloadTooLarge, UnsupportedMediaType
from serve.text import quoted

GZIP = ("gzip", "x-gzip")
GZIP_WINDOW = 16 + zlib.MAX_WBITS
PIECE_BYTES = 1 << 14


def decoded(body: bytes, content_encoding: str | None, most: float) -> bytes:
    """Return the payload that a body is the encoding of, never holding more than ``most`` bytes of it.

    Raises UnsupportedMediaType for an encoding other than gzip, MalformedPayload for what is none, and PayloadTooLarge.
    """
    codings = [coding.strip().lower() for coding in (content_encoding or "").split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if not codings or not body:
        return body
    if len(codings) > 1 or codings[0] not in GZIP:
        raise UnsupportedMediaType(
            f"Content-Encoding: {quoted(content_encoding)}: expected gzip or none"
        )
    return _gunzip(body, most)


def _gunzip(body: bytes, most: float) -> bytes:
    """Return the members of a gzip file, one after the other; raises MalformedPayload and PayloadTooLarge."""
    payload = io.BytesIO()
    member = zlib.decompressobj(GZIP_WINDOW)
    for start in range(0, len(body), PIECE_BYTES):
        piece = body[start : start + PIECE_BYTES]
        while piece:
            if member.eof:
                member = zlib.decompressobj(GZIP_WINDOW)
            try:
                payload.write(member.decompress(piece, PIECE_BYTES))
            except zlib.error as error:
                raise MalformedPayload(
                    "Content-Encoding: gzip: the body is no gzip, or damaged"
                ) from error
            if payload.tell() > most:
                limit = f"expected {int(most):,} bytes at most, got more from {len(body):,} bytes of gzip"
                raise PayloadTooLarge(f"{limit}; SAGEMAKER_MAX_PAYLOAD_IN_MB sets the limit")
            piece = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise MalformedPayload("Content-Encoding: gzip: the body is cut off")
    return payload.getvalue()
