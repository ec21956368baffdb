"""Recognize the format of a model file by its bytes, and the version of XGBoost that wrote it."""

import mmap
import re
from dataclasses import dataclass
from pathlib import Path

from serve.errors import BadArtifact

JSON_START = re.compile(rb'\s*\{\s*(?:"learner"\s*:\s*\{|"version"\s*:\s*\[)')
UBJSON_START = b"{L\0\0\0\0\0\0\0\x07learner"
JSON_VERSION = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]')
UBJSON_VERSION = re.compile(rb"version\[#L\0{7}\x03i(.)i(.)i(.)\}\Z", re.DOTALL)
HEAD_BYTES = 64
TAIL_BYTES = 4096

CONVERT = "in a clone of xgb-endpoint, run: make convert MODEL={path}"


@dataclass(frozen=True, slots=True)
class ForeignFormat:
    """A file format that the server recognizes but does not load, and the fix."""

    start: re.Pattern[bytes]
    description: str
    fix: str


FOREIGN_FORMATS = (
    ForeignFormat(
        re.compile(rb"binf"),
        "is in the binary format that XGBoost 3.1 removed",
        f"to convert it, {CONVERT}",
    ),
    ForeignFormat(
        re.compile(rb"\x80[\x02-\x05]"),
        "is a pickle, which is never loaded because it can run arbitrary code",
        "save the model with booster.save_model('model.ubj'); "
        f"or, if you trust the file, convert it: {CONVERT} TRUST=yes",
    ),
    ForeignFormat(
        re.compile(rb"\x1f\x8b|PK\x03\x04|BZh|\xfd7zXZ"),
        "is an archive",
        "extract it, because the model directory must contain the model file itself",
    ),
    ForeignFormat(re.compile(rb"\Z"), "is empty", "save the model again"),
)


def detect_format(path: Path) -> str | None:
    """Return "UBJSON" or "JSON" for a model, or None for any other file."""
    head = _read_head(path)
    if head.startswith(UBJSON_START):
        return "UBJSON"
    return "JSON" if JSON_START.match(head) else None


def has_foreign_format(path: Path) -> bool:
    """Return whether the server recognizes the format of a file, but does not load it."""
    return _find_foreign_format(_read_head(path)) is not None


def explain_unreadable(path: Path) -> str:
    """Return the error for a file that is not a UBJSON or JSON model, with the fix."""
    head = _read_head(path)
    if foreign := _find_foreign_format(head):
        return f"{path} {foreign.description}: {foreign.fix.format(path=path)}"
    return (
        f"{path}: expected an XGBoost model in UBJSON or JSON format, "
        f"got a file that starts with {head[:16]!r}; "
        f"to convert a model of XGBoost 1.4 or older, {CONVERT.format(path=path)}"
    )


def read_writer_version(path: Path, format_: str) -> tuple[int, ...]:
    """Return the version of XGBoost that wrote a model, or () if a JSON model has no version.

    Both formats end with the version, so a truncated file raises BadArtifact. XGBoost must not
    load truncated UBJSON, which may crash the process with a segmentation fault.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as model:
        tail = max(0, len(model) - TAIL_BYTES)
        if format_ == "UBJSON" and (match := UBJSON_VERSION.search(model, tail)):
            return tuple(number[0] for number in match.groups())
        if format_ == "JSON" and model[tail:].rstrip().endswith(b"}"):
            match = JSON_VERSION.search(model, tail) or JSON_VERSION.search(model)
            return tuple(map(int, match.groups())) if match else ()
    raise BadArtifact(
        f"{path} is truncated: the end of the {format_} document is missing; copy the file again"
    )


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _find_foreign_format(head: bytes) -> ForeignFormat | None:
    return next((foreign for foreign in FOREIGN_FORMATS if foreign.start.match(head)), None)
