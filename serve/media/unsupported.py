"""Media types that this server does not read: which clients send them, and what to send instead."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from serve.media.types import (
    ALIASES,
    CSV,
    JSON,
    JSON_LINES,
    LIBSVM,
    NPY,
    RECORDIO,
    RESPONSE_TYPES,
    split_accept,
)
from serve.text import quoted

SIMILARITY = 0.8
MEANT = {
    "application/csv": CSV,
    "text/x-csv": CSV,
    "text/comma-separated-values": CSV,
    "text/json": JSON,
    "application/x-json": JSON,
    "json": JSON,
    "jsonl": JSON_LINES,
    "jsonlines": JSON_LINES,
    "ndjson": JSON_LINES,
    "application/json-seq": JSON_LINES,
    "application/x-libsvm": LIBSVM,
    "application/libsvm": LIBSVM,
    "text/x-svmlight": LIBSVM,
    "npy": NPY,
    "application/npy": NPY,
    "application/numpy": NPY,
    "application/x-recordio": RECORDIO,
}
OWN_TYPE = "set the media type of the payload itself"
PARQUET = "send the same rows as text/csv; header=present, such as with frame.to_csv(index=False)"
PROTOBUF = f"put the records into RecordIO frames, and set {RECORDIO}"
PICKLE = f"pickles are never loaded: send arrays with numpy.save as {NPY}"
GZIP = "set Content-Encoding: gzip, and the media type of the uncompressed payload as Content-Type"
EXCEL = f"save the sheet as CSV, and set {CSV}"
TABS = f"set {CSV}; delimiter=tab"
# Per media type: which client sends it, if that is typical, and what to do.
ADVICE = {
    "application/octet-stream": f"many SDKs send it if no type is chosen: {OWN_TYPE}",
    "binary/octet-stream": f"S3 and SDKs use it if no type is chosen: {OWN_TYPE}",
    "application/x-www-form-urlencoded": (
        "curl -d sends it by default: "
        f"add -H 'Content-Type: {CSV}', and use --data-binary, because -d removes line breaks"
    ),
    "multipart/form-data": (
        "curl -F and HTML forms send it: send the file as the body, such as with "
        f"curl -H 'Content-Type: {CSV}' --data-binary @FILE"
    ),
    "text/plain": f"HTTP clients send it with strings if no type is chosen: {OWN_TYPE}",
    "text/html": OWN_TYPE,
    "application/x-npz": (
        "the SageMaker SDK's SparseMatrixSerializer sends it: send a dense array with "
        f"NumpySerializer ({NPY}), or sparse rows as {LIBSVM} or {RECORDIO}"
    ),
    "application/x-parquet": PARQUET,
    "application/parquet": PARQUET,
    "application/vnd.apache.parquet": PARQUET,
    "parquet": PARQUET,
    "application/vnd.apache.arrow.stream": PARQUET,
    "application/vnd.apache.arrow.file": PARQUET,
    "application/x-feather": PARQUET,
    "application/x-protobuf": PROTOBUF,
    "application/protobuf": PROTOBUF,
    "application/x-google-protobuf": PROTOBUF,
    "application/x-pickle": PICKLE,
    "application/python-pickle": PICKLE,
    "application/pickle": PICKLE,
    "application/gzip": GZIP,
    "application/x-gzip": GZIP,
    "application/zip": "send the file in the archive, not the archive",
    "application/x-tar": "send the file in the archive, not the archive",
    "application/vnd.ms-excel": (
        f"browsers on Windows send it for .csv files: set {CSV}; a workbook must be saved as CSV"
    ),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": EXCEL,
    "text/tab-separated-values": TABS,
    "text/tsv": TABS,
    "application/xml": f"XML is not read: send the values as {JSON} or {CSV}",
    "text/xml": f"XML is not read: send the values as {JSON} or {CSV}",
    "application/x-image": "the model reads columns of numbers and labels, not images",
}
MEDIA_KINDS = re.compile(r"(image|audio|video)/")


def describe_content_type(name: str, expected: Sequence[str]) -> str:
    """Return the message for an unsupported Content-Type, given the supported ones."""
    message = f"unsupported Content-Type: got {quoted(name)}, expected {', '.join(expected)}"
    advice = _find_advice(name, [*expected, *ALIASES])
    return f"{message}; {advice}" if advice else message


def describe_accept(header: str | None, expected: Sequence[str]) -> str:
    """Return the message for an Accept header that allows none of the supported types."""
    message = f"cannot respond to Accept: {quoted(header)}: expected {', '.join(expected)}"
    for entry in split_accept(header):
        name = entry.partition(";")[0].strip().lower()
        if name in ADVICE or MEDIA_KINDS.match(name):  # known, so it is not a misspelling
            continue
        meant = _find_meant(name, RESPONSE_TYPES)
        if meant in expected and meant != name:
            return f"{message}; did you mean {meant}?"
    return message


def _find_advice(name: str, known: Sequence[str]) -> str | None:
    if name in ADVICE:
        return ADVICE[name]
    if kind := MEDIA_KINDS.match(name):
        return f"the model reads columns of numbers and labels, not {kind[1]} data"
    if meant := _find_meant(name, known):
        return f"did you mean {meant}?"
    return None


def _find_meant(name: str, known: Sequence[str]) -> str | None:
    """Return the media type that a name resembles, if any."""
    if name in MEANT or name in ALIASES:
        return MEANT.get(name) or ALIASES[name]
    if name.endswith("+json"):
        return JSON
    words = re.split(r"[\s,]", name, maxsplit=1)  # a list, or a parameter without a semicolon
    matches = get_close_matches(words[0], known, 1, SIMILARITY)
    return ALIASES.get(matches[0], matches[0]) if matches else None
