"""Recognize a compressed file, and read the first bytes of its content."""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

MAX_MEMORY_BYTES = 100 << 20


@dataclass(frozen=True, slots=True)
class Compression:
    """A format of compression; ``read`` decompresses no more than the given number of bytes."""

    name: str
    start: re.Pattern[bytes]
    read: Callable[[bytes, int], bytes] | None = None
    command: str = ""


def recognize_compression(head: bytes) -> Compression | None:
    """Return the compression of a file that starts with these bytes, or None."""
    return next((item for item in COMPRESSIONS if item.start.match(head)), None)


def decompress(compression: Compression, content: bytes, size: int) -> bytes:
    """Return at most ``size`` decompressed bytes of a possibly truncated content.

    The result is empty if the content is damaged, or if Python cannot decompress it.
    """
    if compression.read is None:
        return b""
    try:
        return compression.read(content, size)
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError, MemoryError):
        return b""


def _read_zlib(content: bytes, size: int) -> bytes:
    # 32 accepts the headers of both zlib and gzip.
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(content, size)


def _read_bz2(content: bytes, size: int) -> bytes:
    return bz2.BZ2Decompressor().decompress(content, size)


def _read_lzma(content: bytes, size: int) -> bytes:
    return lzma.LZMADecompressor(memlimit=MAX_MEMORY_BYTES).decompress(content, size)


COMPRESSIONS = (
    Compression("gzip", re.compile(rb"\x1f\x8b"), _read_zlib, "gunzip"),
    Compression("zlib", re.compile(rb"\x78[\x01\x5e\x9c\xda]"), _read_zlib),
    Compression("bzip2", re.compile(rb"BZh"), _read_bz2, "bunzip2"),
    Compression("xz", re.compile(rb"\xfd7zXZ"), _read_lzma, "unxz"),
    Compression("LZMA", re.compile(rb"\x5d\0\0[\0-\xff]{2}"), _read_lzma, "unlzma"),
    Compression("LZ4", re.compile(rb"\x04\x22\x4d\x18")),
    Compression("Zstandard", re.compile(rb"\x28\xb5\x2f\xfd"), command="unzstd"),
    Compression("lzip", re.compile(rb"LZIP\x01"), command="lzip -d"),
    Compression("compress", re.compile(rb"\x1f\x9d"), command="uncompress"),
)
