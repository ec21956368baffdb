"""AWS's event stream, in which a streamed reply travels: one message for each part, each with its own checksums.

The format is that of ../shared/deploy.md 2.4; docs/decisions/0018 tells why it is written here.
"""

import json
import struct
from binascii import crc32
from collections.abc import Mapping

MEDIA_TYPE = "application/vnd.amazon.eventstream"
STRING = 7


def part(payload: bytes) -> bytes:
    """Return the message for a part of the reply."""
    kinds = {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }
    return _message(kinds, payload)


def exception(name: str, members: Mapping[str, str]) -> bytes:
    """Return the message that ends a stream with an exception of this name, such as ModelStreamError."""
    kinds = {
        ":message-type": "exception",
        ":exception-type": name,
        ":content-type": "application/json",
    }
    return _message(kinds, json.dumps(members).encode())


def _message(headers: Mapping[str, str], payload: bytes) -> bytes:
    written = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack(
        ">II", 16 + len(written) + len(payload), len(written)
    )  # 16: prelude, its checksum, the last checksum
    message = prelude + struct.pack(">I", crc32(prelude)) + written + payload
    return message + struct.pack(">I", crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack(f">B{len(name)}sBH{len(value)}s", len(name), name, STRING, len(value), value)
