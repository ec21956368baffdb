"""Lines: cut a payload of lines into slices.

Decoding slice by slice limits memory, and how long other threads wait for the GIL.
"""

import re
from collections.abc import Iterator

from serve.diagnosis.file_types import find_binary_hint
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


def strip_blank_end(payload: bytes) -> bytes:
    """Return the payload without trailing blank lines and without the final line ending.

    Trailing spaces in the last line are not removed.
    """
    line_end = LINE_END.search(payload, len(payload.rstrip(BLANKS)))
    return payload[: line_end.start()] if line_end else payload


def decode_text(lines: bytes, first_row: int) -> str:
    """Return lines as text; raises MalformedPayload if they are not UTF-8."""
    try:
        return lines.decode()
    except UnicodeDecodeError as error:
        row = first_row + lines.count(b"\n", 0, error.start)
        hint = find_binary_hint(lines) if first_row == 1 else ""
        message = f"row {row}: expected UTF-8, got byte 0x{lines[error.start]:02x}"
        raise MalformedPayload(with_hint(message, hint)) from error
