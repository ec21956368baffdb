"""Signatures: recognize bytes that are not UTF-8 text by how they begin."""

GZIP, NPY = b"\x1f\x8b", b"\x93NUMPY"
RECORDIO, ZIP, PARQUET = b"\x0a\x23\xd7\xce", b"PK\x03\x04", b"PAR1"
PICKLE_PROTOCOLS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

SIGNATURES: dict[str, tuple[bytes, ...]] = {
    "gzip; send Content-Encoding: gzip": (GZIP,),
    "an npy array; send Content-Type: application/x-npy": (NPY,),
    "RecordIO; send Content-Type: application/x-recordio-protobuf": (RECORDIO,),
    "a zip archive (or npz, xlsx)": (ZIP,),
    "a Parquet file": (PARQUET,),
    "a pickle": PICKLE_PROTOCOLS,
    "UTF-16 or UTF-32; encode the text as UTF-8": UTF_16_MARKS,
}


def recognize_bytes(payload: bytes) -> str:
    """Return what the bytes are and what to change, or an empty string for UTF-8 text."""
    for description, signatures in SIGNATURES.items():
        if payload.startswith(signatures):
            return description
    # Text in UTF-16 or UTF-32 has a NUL byte next to each ASCII character.
    if b"\0" in payload[:2] and len(payload) > 1:
        return "UTF-16 or UTF-32; encode the text as UTF-8"
    if (position := payload.find(b"\0")) >= 0:
        return f"a NUL byte at byte {position + 1:,}; remove it"
    return _find_invalid_byte(payload)


def _find_invalid_byte(payload: bytes) -> str:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        byte = f"byte 0x{payload[error.start]:02x} at byte {error.start + 1:,}"
        return f"{byte}; encode the text as UTF-8"
    return ""
