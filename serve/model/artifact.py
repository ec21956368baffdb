"""Artifact: the files of a model folder, and which of them is the model.

Source: contract 4.1 to 4.9; a model is recognised by its name, else by its bytes, and never by being the only file.
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from serve.errors import BadArtifact
from serve.text import listed

MODEL_NAMES = ("model.ubj", "model.json", "xgboost-model")
MEMBER_NAME = re.compile(r"xgboost-model-(\d+)", re.ASCII)
SCHEMA_NAME = "schema.json"
SELF_TEST_NAME = "self-test"
CODE_NAME = "code"
ANOTHER_MODEL = "a model too, but its name is not one of the known"

CONVERT = "convert it with: make convert MODEL={path}"
JSON_MODEL = re.compile(rb'\s*\{\s*(?:"learner"\s*:\s*\{|"version"\s*:\s*\[)')
UBJSON_MODEL = b"{L\0\0\0\0\0\0\0\x07learner"
# What else may lie there: how it begins, what it is, and what to do with it.
STRANGERS = (
    (re.compile(rb"binf"), "is in the binary format that XGBoost 3.1 gave up", CONVERT),
    (
        re.compile(rb"\x80[\x02-\x05]"),
        "is a pickle, which can run any code and is never unpickled here",
        f"save it with booster.save_model('model.ubj'), or if you trust it {CONVERT} TRUST=yes",
    ),
    (
        re.compile(rb"\x1f\x8b|PK\x03\x04|BZh|\xfd7zXZ"),
        "is an archive",
        "unpack it: the model's own file belongs into the folder",
    ),
    (re.compile(rb"\Z"), "is empty", "save the model again"),
)
JSON_VERSION = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]')
UBJSON_VERSION = re.compile(rb"version\[#L\0{7}\x03i(.)i(.)i(.)\}\Z", re.DOTALL)
TAIL_BYTES = 4096
# Bytes of memory that a loaded model takes for each byte of its file, measured with 100,000 splits.
GROWTH = {"UBJSON": 4, "JSON": 14}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The file of a model, why the other files of its folder are not it, and the others of its ensemble."""

    path: Path
    format: str
    writer: tuple[int, ...]
    ignored: dict[str, str]
    others: tuple["ModelFile", ...] = ()

    @property
    def members(self) -> tuple["ModelFile", ...]:
        """The files of an ensemble, in the order of their names; of a single model its own."""
        return (self, *self.others)

    @property
    def memory_bytes(self) -> int:
        """How much memory the model takes once it is loaded, and while it is."""
        return sum(each.path.stat().st_size * GROWTH[each.format] for each in self.members)


def find_model(folder: Path, *, ensemble: bool | None = None) -> ModelFile:
    """Return the one file of a folder that is the model; raises BadArtifact, which says what is there instead and what to do.

    Several are the members of one if they are to be an ``ensemble``; None leaves that to their names: xgboost-model-N.
    """
    if not folder.is_dir():
        raise BadArtifact(
            f"{folder} is no folder: put the model there, or name its folder in SM_MODEL_DIR"
        )
    files = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    others = {name: _why_never(name) for name in files}
    possible = [name for name in files if not others[name]]
    chosen = _chosen(folder, possible, everything=ensemble is True)
    if ensemble is None:
        ensemble = all(MEMBER_NAME.fullmatch(name) for name in chosen)
    if len(chosen) > 1 and not ensemble:
        raise BadArtifact(
            f"{folder} holds several models, {listed(chosen)}: leave the one that is meant, "
            "or set SAGEMAKER_INFERENCE_ENSEMBLE=true if they are to predict together"
        )
    if not chosen:
        raise BadArtifact(_nothing(folder, files, possible))
    used = {
        *chosen,
        SCHEMA_NAME,
        *(name for name in files if name.startswith(f"{SELF_TEST_NAME}/")),
    }
    ignored = {name: others[name] or _why_not(folder / name) for name in files if name not in used}
    first, *more = [_model_file(folder / name, ignored) for name in chosen]
    return replace(first, others=tuple(more))


def _chosen(folder: Path, possible: list[str], *, everything: bool) -> list[str]:
    """Return which files are models: those of a known name, else the numbered, else those that are one by their bytes; or all."""
    known = [name for name in possible if name in MODEL_NAMES]
    numbered = sorted(
        filter(MEMBER_NAME.fullmatch, possible),
        key=lambda name: (int(name.rpartition("-")[2]), name),
    )
    by_bytes = [
        name for name in possible if name not in (*known, *numbered) and _format(folder / name)
    ]
    if everything:
        return known + numbered + by_bytes
    return known or (
        numbered
        if len(numbered) > 1
        else sorted([*filter(lambda name: _format(folder / name), numbered), *by_bytes])
    )


def _model_file(path: Path, ignored: dict[str, str]) -> ModelFile:
    format_ = _format(path)
    if not format_:
        raise BadArtifact(_stranger(path))
    return ModelFile(path, format_, _writer(path, format_), ignored)


def _why_never(name: str) -> str:
    """Return why a file is not even looked at, "" if it is."""
    parts = name.split("/")
    if any(part.startswith(".") for part in parts):
        return "a hidden file"
    if parts[0] in (CODE_NAME, SELF_TEST_NAME):
        return f"of the folder {parts[0]}"
    return "the schema" if name == SCHEMA_NAME else ""


def _why_not(path: Path) -> str:
    return ANOTHER_MODEL if _format(path) else "no model"


def _format(path: Path) -> str | None:
    """Return the format of a model by its first bytes, None if it is no model."""
    head = _head(path)
    if head.startswith(UBJSON_MODEL):
        return "UBJSON"
    return "JSON" if JSON_MODEL.match(head) else None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _nothing(folder: Path, files: list[str], possible: list[str]) -> str:
    """Return what to say of a folder without a model: of its files the one that was perhaps meant for it."""
    telling = [
        folder / name
        for name in possible
        if any(begin.match(_head(folder / name)) for begin, _, _ in STRANGERS)
    ]
    if len(telling) == 1:
        return _stranger(telling[0])
    held = f"it holds {listed(files)}" if files else "it is empty"
    return f"{folder} holds no model, neither {', '.join(MODEL_NAMES)} nor another file that is one by its bytes; {held}"


def _stranger(path: Path) -> str:
    head = _head(path)
    for begin, what, remedy in STRANGERS:
        if begin.match(head):
            return f"{path} {what}: {remedy.format(path=path)}"
    return (
        f"{path} is neither JSON nor UBJSON, it starts with {head[:16]!r}: "
        f"if XGBoost before 1.5 wrote it, {CONVERT.format(path=path)}"
    )


def _writer(path: Path, format_: str) -> tuple[int, ...]:
    """Return the version of the XGBoost that wrote the model, () if its JSON does not tell; raises BadArtifact if it is cut off.

    Both formats end with it. XGBoost must not see UBJSON that does not: it dies of some of that by a segmentation fault.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as model:
        tail = max(0, len(model) - TAIL_BYTES)
        if format_ == "UBJSON" and (found := UBJSON_VERSION.search(model, tail)):
            return tuple(number[0] for number in found.groups())
        if format_ == "JSON" and model[tail:].rstrip().endswith(b"}"):
            found = JSON_VERSION.search(model, tail) or JSON_VERSION.search(model)
            return tuple(map(int, found.groups())) if found else ()
    raise BadArtifact(f"{path} is cut off: it ends before the {format_} does; copy it anew")


def self_test_files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the request and the expected reply of the self-test, if the artifact holds one; raises BadArtifact for half of one."""
    found = {
        stem: sorted((folder / SELF_TEST_NAME).glob(f"{stem}.*"))
        for stem in ("request", "expected")
    }
    counts = [len(paths) for paths in found.values()]
    if counts == [1, 1]:
        yield found["request"][0], found["expected"][0]
    elif counts != [0, 0]:
        raise BadArtifact(
            f"{folder / SELF_TEST_NAME} must hold one request.* and one expected.*; it holds {counts[0]} and {counts[1]}"
        )
