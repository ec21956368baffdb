"""File types: recognize a binary format by the first bytes of a payload that should be text."""

from typing import NamedTuple

CSV_FIX = "send CSV, as from to_csv(index=False)"
TEXT_FIX = "send CSV or JSON"
UTF_8_FIX = "encode the text as UTF-8, or declare its encoding, such as charset=iso-8859-1"
COMPRESSION_FIX = "send it uncompressed, or use gzip"


class FileType(NamedTuple):
    """A format with a name for messages, and what to do with a payload in it."""

    name: str
    fix: str


UTF_16 = FileType("UTF-16 or UTF-32", "encode the text as UTF-8, or declare charset=utf-16")
PICKLE = FileType("a Python pickle", TEXT_FIX)
FILE_TYPES = (
    (b"\x93NUMPY", FileType("an npy array", "send Content-Type: application/x-npy")),
    (b"\n#\xd7\xce", FileType("RecordIO", "send Content-Type: application/x-recordio-protobuf")),
    (b"\x1f\x8b", FileType("gzip", "send Content-Encoding: gzip")),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
    (b"PAR1", FileType("Parquet", CSV_FIX)),
    (b"ARROW1", FileType("Arrow or Feather", CSV_FIX)),
    (b"FEA1", FileType("Feather", CSV_FIX)),
    (b"Obj\x01", FileType("Avro", TEXT_FIX)),
    (b"ORC", FileType("ORC", CSV_FIX)),
    (b"\x89HDF", FileType("HDF5", CSV_FIX)),
    (b"PK\x03\x04", FileType("a ZIP file, such as .npz or .xlsx", TEXT_FIX)),
    (b"\xd0\xcf\x11\xe0", FileType("an Excel file", "save it as CSV UTF-8")),
    (b"\x28\xb5\x2f\xfd", FileType("zstd", COMPRESSION_FIX)),
    (b"BZh", FileType("bzip2", COMPRESSION_FIX)),
    (b"\xfd7zXZ", FileType("xz", COMPRESSION_FIX)),
    (b"%PDF", FileType("a PDF file", TEXT_FIX)),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04", PICKLE),
    (b"\x80\x05", PICKLE),
)


def find_file_type(payload: bytes) -> FileType | None:
    """Return the binary format of a payload, or None if it may be UTF-8 text."""
    for start, file_type in FILE_TYPES:
        if payload.startswith(start):
            return file_type
    # Text in UTF-16 or UTF-32 has a NUL byte next to each ASCII character.
    return UTF_16 if len(payload) > 1 and b"\0" in payload[:2] else None


def find_binary_hint(payload: bytes) -> str:
    """Return what a payload that is not text really is, and what to change, or an empty string."""
    file_type = find_file_type(payload)
    return f"this is {file_type.name}: {file_type.fix}" if file_type else ""


def recognize_bytes(payload: bytes) -> str:
    """Return what bytes are that are not UTF-8 text, and what to change, or an empty string."""
    if file_type := find_file_type(payload):
        return f"{file_type.name}; {file_type.fix}"
    if (position := payload.find(b"\0")) >= 0:
        return f"a NUL byte at byte {position + 1:,}; remove it"
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        byte = f"byte 0x{payload[error.start]:02x} at byte {error.start + 1:,}"
        return f"{byte}; {UTF_8_FIX}"
    return ""
