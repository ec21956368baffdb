"""File types: recognize a binary format by the first bytes of a payload that should be text."""

SIGNATURES = (
    (b"\x93NUMPY", "this is npy: set Content-Type: application/x-npy"),
    (b"\n#\xd7\xce", "this is recordio: set Content-Type: application/x-recordio-protobuf"),
    (b"\x1f\x8b", "this is gzip: set Content-Encoding: gzip"),
    (b"\xff\xfe", "this is UTF-16: encode the payload as UTF-8"),
    (b"\xfe\xff", "this is UTF-16: encode the payload as UTF-8"),
    (b"PAR1", "this is Parquet: send CSV, as from to_csv(index=False)"),
    (b"ARROW1", "this is Arrow or Feather: send CSV, as from to_csv(index=False)"),
    (b"FEA1", "this is Feather: send CSV, as from to_csv(index=False)"),
    (b"Obj\x01", "this is Avro: send CSV or JSON"),
    (b"ORC", "this is ORC: send CSV, as from to_csv(index=False)"),
    (b"\x89HDF", "this is HDF5: send CSV, as from to_csv(index=False)"),
    (b"PK\x03\x04", "this is a ZIP file, such as .npz or .xlsx: send CSV"),
    (b"\xd0\xcf\x11\xe0", "this is an Excel file: save it as CSV UTF-8"),
    (b"\x28\xb5\x2f\xfd", "this is zstd: send it uncompressed, or use gzip"),
    (b"BZh", "this is bzip2: send it uncompressed, or use gzip"),
    (b"\xfd7zXZ", "this is xz: send it uncompressed, or use gzip"),
    (b"%PDF", "this is a PDF file: send CSV or JSON"),
    (b"\x80\x02", "this is a Python pickle: send CSV or JSON"),
    (b"\x80\x03", "this is a Python pickle: send CSV or JSON"),
    (b"\x80\x04", "this is a Python pickle: send CSV or JSON"),
    (b"\x80\x05", "this is a Python pickle: send CSV or JSON"),
)


def find_binary_hint(payload: bytes) -> str:
    """Return what a payload that is not text really is, and what to change, or an empty string."""
    for signature, hint in SIGNATURES:
        if payload.startswith(signature):
            return hint
    if payload[1:2] == b"\0" or payload[:1] == b"\0":
        return "this looks like UTF-16 or binary data: encode text as UTF-8"
    return ""
