"""Recognize the format of a model by its bytes, and the version of XGBoost that wrote it."""

import json
import mmap
import re
from pathlib import Path

from serve.errors import BadArtifact
from serve.model.files.listing import Entry

# The configuration of a booster (save_config) starts like a model, but contains no trees.
LEARNER = re.compile(r'"learner"\s*:\s*\{(?!\s*"generic_param")')
OTHER_KEY = re.compile(r'"(?!learner")(?:[^"\\]|\\.)*"\s*:\s*')
JSON_START, SEPARATOR = re.compile(r"\s*\{\s*"), re.compile(r"\s*,\s*")
JSON_DECODER = json.JSONDecoder()
UBJSON_START = b"{L\0\0\0\0\0\0\0\x07learner"
JSON_VERSION = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]')
JSON_END = re.compile(JSON_VERSION.pattern + rb"\s*\}")
UBJSON_VERSION = re.compile(rb"version\[#L\0{7}\x03i(.)i(.)i(.)\}", re.DOTALL)
TAIL_BYTES = 4096


def detect_format(head: bytes) -> str | None:
    """Return "UBJSON" or "JSON" for the first bytes of a model, or None for any others."""
    if head.startswith(UBJSON_START):
        return "UBJSON"
    return "JSON" if is_json_model(head) else None


def is_json_model(content: bytes) -> bool:
    """Return whether the beginning of a JSON document contains the key of a model.

    Other keys may precede it, as long as their values are complete.
    """
    text = content.decode("utf-8", "replace")
    match = JSON_START.match(text)
    while match:
        if LEARNER.match(text, match.end()):
            return True
        if not (key := OTHER_KEY.match(text, match.end())):
            return False
        try:
            _, end = JSON_DECODER.raw_decode(text, key.end())
        except (ValueError, RecursionError):
            return False
        match = SEPARATOR.match(text, end)
    return False


def is_model(entry: Entry) -> bool:
    """Return whether a file starts like a model."""
    return detect_format(entry.head) is not None


def read_writer_version(path: Path, format_: str) -> tuple[int, ...]:
    """Return the version of XGBoost that wrote a model, or () if a JSON model has no version.

    Both formats end with the version, so a truncated file raises BadArtifact. XGBoost must not
    load truncated UBJSON, which may crash the process with a segmentation fault. It ignores what
    follows the end, such as a line break.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as model:
            version = _find_version(model, format_)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadArtifact(f"{path} cannot be read: {reason}") from error
    if version is None:
        raise BadArtifact(
            f"{path} is truncated: the end of the {format_} document is missing; "
            "copy the file again"
        )
    return version


def _find_version(model: mmap.mmap, format_: str) -> tuple[int, ...] | None:
    """Return the version, () if there is none, or None if the end of the document is missing."""
    tail = max(0, len(model) - TAIL_BYTES)
    if format_ == "UBJSON":
        match = UBJSON_VERSION.search(model, tail) or UBJSON_VERSION.search(model)
        return tuple(number[0] for number in match.groups()) if match else None
    if model[tail:].rstrip().endswith(b"}"):
        match = JSON_VERSION.search(model, tail) or JSON_VERSION.search(model)
        return tuple(map(int, match.groups())) if match else ()
    match = JSON_END.search(model, tail) or JSON_END.search(model)
    return tuple(map(int, match.groups())) if match else None
