"""Say what a file is that the server does not load, and what to do about it.

A file is recognized by its bytes. It is never unpickled, and no more than its beginning is read.
"""

import re
import shlex
import zipfile
from pathlib import Path

from serve.errors import BadArtifact
from serve.model.files.listing import HEAD_BYTES, Entry, NotReadable, read_head, suggest_replacement
from serve.model.files.model_format import detect_format, is_json_model
from serve.model.foreign.compression import decompress, recognize_compression
from serve.model.foreign.formats import (
    CONVERT,
    COPY_AGAIN,
    FOREIGN_FORMATS,
    ONLY_XGBOOST,
    SAVE_MODEL,
    Foreign,
    Likelihood,
    archive,
)
from serve.model.foreign.pickle_contents import describe_pickle
from serve.model.foreign.pickles import is_pickle
from serve.text import printable

# How much of a file is read to say what a pickle or a compressed file contains.
MAX_INSPECTED_BYTES = 1 << 20
# XGBoost before 1.0 saves its parameters (136 bytes) and then the names of objective and booster.
# A later XGBoost puts "binf" before them.
BINARY_MODEL = re.compile(rb"(?s:binf|.{136}[\x01-\x40]\0{7}[a-z]+:)")
# The beginning of those parameters (base_score, num_feature, num_class, two flags), cut off before
# the names. A longer file without the names is something else.
FLOAT_AND_COUNT = re.compile(
    rb"(?s:..[\0-\xff][\x38-\x4a\xb8-\xca]|\0{4})(?!\0{4})(?s:..)[\0-\x0f]\0"
    rb"(?:\Z|(?s:..)\0\0(?:\Z|[\0\1]\0{3}(?:\Z|[\0\1]\0{3}(?s:.{0,124})\Z)))"
)
BINARY = Foreign(
    "is in the binary format that XGBoost 3.1 removed",
    f"to convert it, {CONVERT}",
    Likelihood.CONVERTIBLE,
)
LATE_JSON = Foreign(
    f'is a JSON model, but "learner" does not begin within its first {HEAD_BYTES} bytes',
    SAVE_MODEL,
    Likelihood.MODEL,
)
JSON_START = re.compile(rb"\s*[{\[]\s*(?:[\"{\[\]}\d.tfn-]|\Z)")
S3_ERROR = re.compile(rb"\s*<\?xml[^>]*>\s*<Error>\s*<Code>(\w+)</Code>")


def recognize(entry: Entry) -> Foreign | None:
    """Return what a file is that is not a model, or None if it is unknown or a model."""
    if entry.obstacle:
        likelihood = Likelihood.OTHER if entry.is_special else Likelihood.DAMAGED
        return Foreign(entry.obstacle, suggest_replacement(entry.obstacle), likelihood)
    if detect_format(entry.head):
        return None
    return _look_inside(entry) or _recognize_head(entry.head)


def explain_unreadable(entry: Entry) -> str:
    """Return the error for a file that is not a UBJSON or JSON model, with the fix if any."""
    path, shown = entry.path, printable(entry.path)
    if foreign := recognize(entry):
        return f"{shown} {foreign.predicate}: {_insert_path(foreign.fix, path)}"
    head = entry.head[:16]
    kind = "another JSON document" if JSON_START.match(head) else "a file"
    message = (
        f"{shown}: expected an XGBoost model in UBJSON or JSON format, "
        f"got {kind} that starts with {head!r}; "
    )
    if FLOAT_AND_COUNT.match(entry.head):
        convert = _insert_path(CONVERT, path)
        return f"{message}to convert a model of XGBoost 1.4 or older, {convert}"
    return message + SAVE_MODEL


def describe(entry: Entry) -> str:
    """Return what a file is, as a predicate, or "" if that is unknown."""
    foreign = recognize(entry)
    return foreign.predicate if foreign else ""


def _look_inside(entry: Entry) -> Foreign | None:
    """Return what a pickle or an archive contains, or None for any other file."""
    if is_pickle(entry.head):
        return describe_pickle(_read(entry.path), "a pickle", entry.head)
    if entry.head.startswith(b"PK\x03\x04"):
        return _describe_zip(entry.path)
    if not entry.head.lstrip() or entry.head.lstrip().startswith(b"{"):
        return LATE_JSON if is_json_model(_read(entry.path)) else None
    return _describe_compressed(entry)


def _recognize_head(head: bytes) -> Foreign | None:
    """Return what a file is that starts with these bytes."""
    if match := S3_ERROR.match(head):
        code = match[1].decode()
        return Foreign(
            f"is an error of S3 ({code}), not the object",
            f"check the permissions, and {COPY_AGAIN}",
            Likelihood.DAMAGED,
        )
    if BINARY_MODEL.match(head):
        return BINARY
    return next((form.foreign for form in FOREIGN_FORMATS if form.start.match(head)), None)


def _insert_path(fix: str, path: Path) -> str:
    quoted_path, folder = (shlex.quote(printable(name)) for name in (path, path.parent))
    return fix.format(path=quoted_path, folder=folder)


def _read(path: Path) -> bytes:
    try:
        return read_head(path, MAX_INSPECTED_BYTES)
    except NotReadable as error:
        raise BadArtifact(f"{printable(path)} {error}") from error


def _describe_compressed(entry: Entry) -> Foreign | None:
    """Return what is compressed: a pickle of joblib, an archive, a model or something else."""
    compression = recognize_compression(entry.head)
    if compression is None:
        return None
    content = decompress(compression, _read(entry.path), MAX_INSPECTED_BYTES)
    if is_pickle(content[:4096]):
        noun = f"a pickle compressed with {compression.name}, as joblib writes it"
        return describe_pickle(content, noun, content[:4096])
    if detect_format(content):
        fix = f"decompress it with {compression.command or compression.name}"
        return Foreign(f"is a model compressed with {compression.name}", fix, Likelihood.MODEL)
    if compression.name in ("LZ4", "zlib"):
        return Foreign(
            f"is compressed with {compression.name}",
            f"decompress it, or, if joblib wrote it and you trust it, convert it: {CONVERT} "
            "TRUST=yes",
            Likelihood.CONVERTIBLE,
        )
    if compression.read is None:
        fix = f"decompress it with {compression.command}"
        return Foreign(f"is compressed with {compression.name}", fix, Likelihood.ARCHIVE)
    return _describe_content(compression.name, content)


def _describe_content(name: str, content: bytes) -> Foreign:
    """Return what is compressed with a format of this name, by the beginning of its content."""
    inside = _recognize_head(content[:HEAD_BYTES]) if content else None
    if inside and inside.likelihood != Likelihood.ARCHIVE:
        predicate = f"is compressed with {name}; its content {inside.predicate}"
        return Foreign(predicate, inside.fix, inside.likelihood)
    return archive(command="extract it with tar -xf {path} -C {folder}") if inside else archive()


def _describe_zip(path: Path) -> Foreign:
    try:
        with zipfile.ZipFile(path) as zip_file:
            names = zip_file.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        names = []
    for suffix, kind in ZIP_CONTENTS.items():
        if any(name.endswith(suffix) for name in names):
            return Foreign(f"is {kind}", ONLY_XGBOOST, Likelihood.FOREIGN)
    return archive()


# What a zip archive is that contains a file with such a name.
ZIP_CONTENTS = {
    "data.pkl": "a PyTorch model",
    ".weights.h5": "a Keras model",
    ".npy": "a file of NumPy arrays (.npz)",
    "[Content_Types].xml": "an Office document",
    "model.ini": "an H2O model",
    "META-INF/MANIFEST.MF": "a Java archive",
}
