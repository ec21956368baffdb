"""Lines: cut a payload of lines into slices.

Decoding slice by slice limits memory, and how long other threads wait for the GIL.
"""

import re
from collections.abc import Iterator

from serve.diagnosis.file_types import UTF_8_FIX, find_binary_hint
from serve.errors import MalformedPayload
from serve.text import with_hint

SLICE_BYTES = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANKS = b" \t\r\n"
LINE_END = re.compile(rb"\r\n|\r|\n")


def split_slices(payload: bytes) -> Iterator[bytes]:
    """Yield parts of about SLICE_BYTES, each without its final line ending."""
    start = 0
    while len(payload) - start > SLICE_BYTES:
        end = payload.find(b"\n", start + SLICE_BYTES)
        if end < 0:
            break
        yield payload[start:end]
        start = end + 1
    yield payload[start:] if start else payload


def normalize_line_endings(payload: bytes) -> bytes:
    """Return the payload with line feeds in place of all line endings."""
    if b"\r" not in payload:
        return payload
    parts, start = [], 0
    while start < len(payload):
        end = start + SLICE_BYTES
        if payload[end - 1 : end] == b"\r":  # the first half of a line ending, perhaps
            end += 1
        parts.append(payload[start:end].replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        start = end
    return b"".join(parts)


def strip_blank_end(payload: bytes) -> bytes:
    """Return the payload without trailing blank lines and without the final line ending.

    Trailing spaces in the last line are not removed.
    """
    start = len(payload.rstrip(BLANKS))
    if start == len(payload):
        return payload
    end = min(_find(payload, b"\n", start), _find(payload, b"\r", start))
    return payload[:end]


def _find(payload: bytes, line_ending: bytes, start: int) -> int:
    """Return the offset of a line ending, or the end of the payload; a pattern would be slower."""
    end = payload.find(line_ending, start)
    return len(payload) if end < 0 else end


def decode_text(lines: bytes, first_row: int) -> str:
    """Return lines as text; raises MalformedPayload if they are not UTF-8."""
    try:
        return lines.decode()
    except UnicodeDecodeError as error:
        row = first_row + lines.count(b"\n", 0, error.start)
        hint = (find_binary_hint(lines) if first_row == 1 else "") or UTF_8_FIX
        message = f"row {row}: expected UTF-8, got byte 0x{lines[error.start]:02x}"
        raise MalformedPayload(with_hint(message, hint)) from error
