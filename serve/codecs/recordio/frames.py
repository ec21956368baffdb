"""RecordIO frames: the header, padding and parts around the message of each record.

Source: dmlc-core, include/dmlc/recordio.h.
"""

import struct
from typing import NamedTuple

from serve.codecs.row_limits import compute_max_row_bytes, describe_long_row
from serve.diagnosis.payloads import find_payload_hint
from serve.errors import SENT, MalformedPayload
from serve.media.types import RECORDIO
from serve.text import with_hint

MAGIC = 0xCED7230A
HEADER = struct.Struct("<II")
LENGTH_BITS = 29
WHOLE, FIRST, MIDDLE, LAST = range(4)


class Frame(NamedTuple):
    """A framed record: the buffer with its message, the message's offsets, and the next frame's."""

    buffer: bytes
    start: int
    end: int
    next_offset: int


def read_frame(payload: bytes, offset: int, row: int, width: int) -> Frame:
    """Return the record at an offset, with its parts joined; raises MalformedPayload."""
    frame_start, max_bytes = offset, compute_max_row_bytes(width)
    flag, start, end = _read_part(payload, offset, row)
    if end - start > max_bytes:
        raise MalformedPayload(describe_long_row(row, width))
    if flag == WHOLE:
        return Frame(payload, start, end, end + compute_padding(end - offset))
    parts = []
    expected = FIRST
    while True:
        if flag != expected and (expected, flag) != (MIDDLE, LAST):
            raise MalformedPayload(f"row {row}: incomplete multi-part record")
        parts.append(payload[start:end])
        offset = end + compute_padding(end - offset)
        if offset - frame_start > max_bytes:
            raise MalformedPayload(describe_long_row(row, width))
        if flag == LAST:
            # A record is split where it contains the magic number, which the parts omit.
            message = MAGIC.to_bytes(4, "little").join(parts)
            return Frame(message, 0, len(message), offset)
        expected = MIDDLE
        flag, start, end = _read_part(payload, offset, row)


def _read_part(payload: bytes, offset: int, row: int) -> tuple[int, int, int]:
    """Return the flag of the part at an offset (WHOLE to LAST), and the offsets of its bytes."""
    if len(payload) - offset < HEADER.size:
        hint = find_payload_hint(payload, RECORDIO) if offset == 0 else ""
        raise MalformedPayload(with_hint(f"row {row}: truncated record", hint))
    magic, flag_and_length = HEADER.unpack_from(payload, offset)
    if magic != MAGIC:
        expected = f"row {row}: expected the magic number 0x{MAGIC:08x} of a RecordIO record"
        hint = find_payload_hint(payload, RECORDIO) if offset == 0 else ""
        raise MalformedPayload(with_hint(f"{expected}, got {SENT}", hint), f"0x{magic:08x}")
    flag, start = flag_and_length >> LENGTH_BITS, offset + HEADER.size
    end = start + (flag_and_length & ((1 << LENGTH_BITS) - 1))
    if flag > LAST:
        raise MalformedPayload(f"row {row}: expected a record flag from 0 to {LAST}, got {flag}")
    if end > len(payload):
        raise MalformedPayload(
            f"row {row}: truncated record: "
            f"expected {end - start:,} bytes, got {len(payload) - start:,}"
        )
    return flag, start, end


def write_header(length: int) -> bytes:
    """Return the header of a whole record whose message has this many bytes."""
    return HEADER.pack(MAGIC, length)


def compute_padding(length: int) -> int:
    """Return the number of bytes after a message of this length, up to a multiple of four."""
    return -length % 4
