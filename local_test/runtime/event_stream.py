"""Encodes the messages of a streamed response: one per part, each with its own checksums.

Source: Amazon event stream encoding, Smithy specification (application/vnd.amazon.eventstream).
Decision record 18 explains why this is not left to a library.
"""

import json
import struct
from binascii import crc32
from collections.abc import Mapping

MEDIA_TYPE = "application/vnd.amazon.eventstream"
STRING_TYPE = 7
# The prelude (8 bytes), its checksum (4) and the message's checksum (4).
FRAME_BYTES = 16


def encode_payload_part(payload: bytes) -> bytes:
    """Return the PayloadPart event that carries one part of the response."""
    headers = {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    return _encode_message(headers, payload)


def encode_exception(name: str, members: Mapping[str, str]) -> bytes:
    """Return the message that ends a stream with an exception, such as ModelStreamError."""
    headers = {
        ":message-type": "exception",
        ":exception-type": name,
        ":content-type": "application/json",
    }
    return _encode_message(headers, json.dumps(members).encode())


def _encode_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    encoded_headers = b"".join(
        _encode_header(name.encode(), value.encode()) for name, value in headers.items()
    )
    message_bytes = FRAME_BYTES + len(encoded_headers) + len(payload)
    prelude = struct.pack(">II", message_bytes, len(encoded_headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + encoded_headers + payload
    return message + struct.pack(">I", crc32(message))


def _encode_header(name: bytes, value: bytes) -> bytes:
    layout = f">B{len(name)}sBH{len(value)}s"
    return struct.pack(layout, len(name), name, STRING_TYPE, len(value), value)
