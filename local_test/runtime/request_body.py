"""Reads the body of the current Flask request; rejects one that is too long or incomplete."""

from flask import request

from local_test.runtime.errors import ValidationError
from serve.text import quoted

DISCARD_CHUNK_BYTES = 1 << 16
MAX_DISCARDED_BYTES = 256 << 20


def read_request_body(max_bytes: int) -> bytes:
    """Return the request's body of at most ``max_bytes`` bytes.

    A longer body is read to its end first: many clients read no response while they send.

    Raises:
        ValidationError: the body is too long, or does not match its Content-Length.
    """
    try:
        body = request.stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise ValidationError(f"Body: incomplete: {error}") from error
    if len(body) > max_bytes:
        received_bytes = len(body) + _discard_rest(MAX_DISCARDED_BYTES - len(body))
        raise ValidationError(f"Body: expected at most {max_bytes:,} bytes, got {received_bytes:,}")
    _check_framing(len(body))
    return body


def _discard_rest(max_bytes: int) -> int:
    """Read the rest of the body; return the number of bytes, about ``max_bytes`` at most."""
    discarded_bytes = 0
    while discarded_bytes < max_bytes and (chunk := request.stream.read(DISCARD_CHUNK_BYTES)):
        discarded_bytes += len(chunk)
    return discarded_bytes


def _check_framing(received_bytes: int) -> None:
    """Raise ValidationError if the headers that frame the body do not match it."""
    transfer_encoding = request.headers.get("Transfer-Encoding", "chunked")
    if transfer_encoding.lower() != "chunked":
        raise ValidationError(f"Transfer-Encoding: expected chunked, got {transfer_encoding}")
    content_length = request.headers.get("Content-Length")
    if content_length is not None and content_length != str(received_bytes):
        raise ValidationError(
            f"Body: expected as many bytes as Content-Length ({quoted(content_length)}), "
            f"got {received_bytes:,}"
        )
