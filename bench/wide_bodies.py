"""The bodies that are hard on memory or on other requests, because they are wide or amplify.

Each one has at most 100 MiB, the default payload limit, and is meant for a model of three columns.
"""

import gzip
import io
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
LIBSVM, NPY, RECORDIO = "text/libsvm", "application/x-npy", "application/x-recordio-protobuf"
FRAME = struct.Struct("<II")
MAGIC = 0xCED7230A


@dataclass(frozen=True, slots=True)
class WideBody:
    """A body of a given size, built when it is needed, and the headers to send it with."""

    name: str
    content_type: str
    build: Callable[[int], bytes]
    headers: dict[str, str] = field(default_factory=dict)


def repeat(pattern: bytes, start: bytes = b"", end: bytes = b"") -> Callable[[int], bytes]:
    """Return a function that repeats a pattern between a start and an end up to a size."""

    def build(size: int) -> bytes:
        return start + pattern * ((size - len(start) - len(end)) // len(pattern)) + end

    return build


def build_npy(rows: int) -> Callable[[int], bytes]:
    """Return a function that builds an array of bytes with this many rows."""

    def build(size: int) -> bytes:
        columns = (size - 1024) // rows
        file = io.BytesIO()
        np.save(file, np.zeros((rows, columns), np.uint8))
        return file.getvalue()

    return build


def build_record(pattern: bytes) -> Callable[[int], bytes]:
    """Return a function that builds one record from a repeated protobuf field."""

    def build(size: int) -> bytes:
        message = repeat(pattern)((size - 16) // 4 * 4)
        message += bytes(-len(message) % 4)
        return FRAME.pack(MAGIC, len(message)) + message

    return build


def compress(build: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Return a function that builds a gzip body whose content has the size."""
    return lambda size: gzip.compress(build(size))


GZIP = {"Content-Encoding": "gzip"}
PRESENT, SEMICOLON = f"{CSV}; header=present", f'{CSV}; delimiter=";"'
STREAM, EXPLAIN = {"Accept": f"{CSV}; stream=true"}, {"Accept": f"{JSON}; explain=contributions"}

# Bodies that callers send: they must not become slower, nor need more memory.
PLAIN_BODIES = (
    WideBody("rows", CSV, repeat(b"1,2,3\n")),
    WideBody("rows, streamed", CSV, repeat(b"1,2,3\n"), STREAM),
    WideBody("quoted rows", CSV, repeat(b'"1.5",2.25,3.125\n')),
    WideBody("quoted rows with semicolons", SEMICOLON, repeat(b'"1.5";2.25;3.125\n')),
    WideBody("rows", JSON, repeat(b",[1,2,3]", b'{"instances": [[1,2,3]', b"]}")),
    WideBody(
        "objects",
        JSON,
        repeat(b',{"a":1.5,"b":2.25,"c":3.125}', b'[{"a":1.5,"b":2.25,"c":3.125}', b"]"),
    ),
    WideBody(
        "rows, then names",
        JSON,
        repeat(b",[1,2,3]", b'{"instances": [[1,2,3]', b'], "feature_names": ["a", "b", "c"]}'),
    ),
    WideBody("rows", JSON_LINES, repeat(b"[1.5,2.25,3.125]\n")),
    WideBody("rows", LIBSVM, repeat(b"0 0:1.5 1:2.25 2:3.125\n")),
)

HARD_BODIES = (
    WideBody("blank lines, gzip", LIBSVM, compress(repeat(b"\n")), GZIP),
    WideBody("blank lines, gzip, streamed", LIBSVM, compress(repeat(b"\n")), GZIP | STREAM),
    WideBody("rows, gzip", CSV, compress(repeat(b"1,2,3\n")), GZIP),
    WideBody("blank lines", LIBSVM, repeat(b"\n")),
    WideBody("lines with only a label", LIBSVM, repeat(b"0\n")),
    WideBody("lines with only a label, explained", LIBSVM, repeat(b"0\n"), EXPLAIN),
    WideBody("one line of 0:1", LIBSVM, repeat(b"0:1 ", b"0 ")),
    WideBody("one comment", LIBSVM, repeat(b"a", b"#")),
    WideBody("one line of blanks", LIBSVM, repeat(b" ")),
    WideBody("one line of commas", CSV, repeat(b",")),
    WideBody("lines of 10,000 commas", CSV, repeat(b"," * 10_000 + b"\n")),
    WideBody("one number", CSV, repeat(b"1")),
    WideBody("one line of blanks", CSV, repeat(b" ")),
    WideBody("blank lines", CSV, repeat(b"\n")),
    WideBody("blank lines, CR", CSV, repeat(b"\r")),
    WideBody("one line of quotes", CSV, repeat(b'"')),
    WideBody("one quoted cell", CSV, repeat(b"a", b'"', b'",2,3\n')),
    WideBody("one line of quoted cells", CSV, repeat(b'"",')),
    WideBody("one header", PRESENT, repeat(b"a,", b"", b"\n1,2,3\n")),
    WideBody("one quoted header", PRESENT, repeat(b'"a\n",')),
    WideBody("one line of semicolons", SEMICOLON, repeat(b';","')),
    WideBody("NUL bytes", CSV, repeat(b"\0")),
    WideBody("empty lists, then an escape", JSON, repeat(b"[],", b"[", rb'["\u0030"]]')),
    WideBody("empty lists, then a string", JSON, repeat(b"[],", b"[", b'"x"]')),
    WideBody("rows, then an error", JSON, repeat(b"[1,2,3],", b"[", b"[1,2,x]]")),
    WideBody("rows, not closed", JSON, repeat(b"[1,2,3],", b"[", b"[1,2,")),
    WideBody("one row", JSON, repeat(b"1,", b"[", b"1]")),
    WideBody("one row of several", JSON, repeat(b"1,", b"[[1,2,3],[", b"1]]")),
    WideBody("one string", JSON, repeat(b"a", b'"', b'"')),
    WideBody("one string with an emoji", JSON, repeat(b"a", b'"\xf0\x9f\x98\x80', b'"')),
    WideBody("one number", JSON, repeat(b"1")),
    WideBody("one number in a row", JSON, repeat(b"1", b"[[1,2,", b"]]")),
    WideBody("nested lists", JSON, repeat(b"[")),
    WideBody("closed nested lists", JSON, lambda size: b"[" * (size // 2) + b"]" * (size // 2)),
    WideBody("blanks", JSON, repeat(b" ")),
    WideBody("blanks before a row", JSON, repeat(b" ", b"", b"[1,2,3]")),
    WideBody("blanks in a row", JSON, repeat(b" ", b"[[1,2,3]", b",[1,2,3]]")),
    WideBody("one wide object", JSON, lambda size: _build_object(size, b"{%s}")),
    WideBody("one wide object of several", JSON, lambda size: _build_object(size, b"[{},{%s}]")),
    WideBody("one repeated name", JSON, repeat(b'"a":1,', b"{", b'"b":1}')),
    WideBody("quotes", JSON, repeat(b'"')),
    WideBody("backslashes", JSON, repeat(b"\\", b'[["', b'"]]')),
    WideBody("invalid words", JSON, repeat(b"nan,", b"[[", b"1]]")),
    WideBody("blank lines, then a row", JSON_LINES, repeat(b"\n", b"", b"[1,2,3]\n")),
    WideBody("one row", JSON_LINES, repeat(b"1,", b"[", b"1]")),
    WideBody("empty lists", JSON_LINES, repeat(b"[]\n")),
    WideBody("one row", NPY, build_npy(1)),
    WideBody("10,000 rows", NPY, build_npy(10_000)),
    WideBody("empty records", RECORDIO, repeat(FRAME.pack(MAGIC, 0))),
    WideBody("one record of ignored fields", RECORDIO, build_record(b"\x18\x01")),
    WideBody("one record of empty features", RECORDIO, build_record(b"\x0a\x00")),
    WideBody("rows in Latin-1", f"{CSV}; charset=latin-1", repeat(b"\xe9,2,3\n")),
)


def _build_object(size: int, template: bytes) -> bytes:
    names = b",".join(b'"n%07d":1' % number for number in range((size - len(template)) // 13))
    return template % names
