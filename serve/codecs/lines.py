"""Payloads of lines: cut into slices, so that no payload is held twice and no thread computes long without a pause."""

from collections.abc import Iterator

from serve.errors import MalformedPayload

SLICE_BYTES = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANKS = b" \t\r\n"


def slices_of_lines(payload: bytes) -> Iterator[bytes]:
    """Yield the payload in parts of about SLICE_BYTES that end where a line ends, without that line's end."""
    start = 0
    while len(payload) - start > SLICE_BYTES:
        end = payload.find(b"\n", start + SLICE_BYTES)
        if end < 0:
            break
        yield payload[start:end]
        start = end + 1
    yield payload[start:] if start else payload


def without_blank_end(payload: bytes) -> bytes:
    """Return the payload without blank last lines and its last line's end, but with all that its last line holds."""
    end = payload.find(b"\n", len(payload.rstrip(BLANKS)))
    return payload if end < 0 else payload[:end]


def text_of(payload: bytes, first_row: int) -> str:
    """Return a slice of lines as text; raises MalformedPayload where it is not UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        row = first_row + payload.count(b"\n", 0, error.start)
        raise MalformedPayload(
            f"row {row}: expected UTF-8, got the byte 0x{payload[error.start]:02x}"
        ) from error
