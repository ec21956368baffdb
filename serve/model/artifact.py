"""Find the model among the files of the model directory (/opt/ml/model).

A model is recognized by its file name, otherwise by its first bytes. A file is not assumed to be
the model just because it is the only one. Source: contract 4.1 to 4.9.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from serve.errors import BadArtifact
from serve.model.model_format import (
    detect_format,
    explain_unreadable,
    has_foreign_format,
    read_writer_version,
)
from serve.text import listed

STANDARD_NAMES = ("model.ubj", "model.json", "xgboost-model")
NUMBERED_NAME = re.compile(r"xgboost-model-(\d+)", re.ASCII)
SCHEMA_NAME = "schema.json"
SELF_TEST_NAME = "self-test"
CODE_NAME = "code"
# Bytes of memory that a loaded model needs per byte of its file, measured with 100,000 splits.
MEMORY_PER_FILE_BYTE = {"UBJSON": 4, "JSON": 14}

# Reasons for ignoring a file, as `check` and the log report them.
OTHER_MODEL = "a model, but a file with a standard name takes precedence"
NOT_A_MODEL = "not a model"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file, with its format and the version of XGBoost that wrote it.

    ``ignored_files`` maps each unused file of the directory to the reason. The first member of an
    ensemble holds the remaining members in ``other_members``.
    """

    path: Path
    format: str
    writer_version: tuple[int, ...]
    ignored_files: dict[str, str]
    other_members: tuple["ModelFile", ...] = ()

    @property
    def members(self) -> tuple["ModelFile", ...]:
        """All files of an ensemble in prediction order; for a single model, the file itself."""
        return (self, *self.other_members)

    @property
    def memory_bytes(self) -> int:
        """Estimated memory needed to load the model and to hold it."""
        return sum(
            member.path.stat().st_size * MEMORY_PER_FILE_BYTE[member.format]
            for member in self.members
        )

    @property
    def ignored_models(self) -> dict[str, str]:
        """The ignored files that are models themselves."""
        return {
            name: reason for name, reason in self.ignored_files.items() if reason == OTHER_MODEL
        }


def find_model(folder: Path, *, ensemble: bool | None = None) -> ModelFile:
    """Return the model file of a directory, or the first member of an ensemble.

    With ``ensemble=True``, all models in the directory form one ensemble. With False, more than one
    model is an error. With None, the file names decide: ``xgboost-model-N`` files form an ensemble.

    Raises BadArtifact, with the directory's contents and the fix, if there is no such model.
    """
    if not folder.is_dir():
        raise BadArtifact(
            f"{folder} is not a directory: put the model there, "
            "or set SM_MODEL_DIR to the directory that contains it"
        )
    files = _list_files(folder)
    candidates = [name for name in files if not _explain_skip(name)]
    chosen = _choose_models(folder, candidates, choose_all=ensemble is True)
    if not chosen:
        raise BadArtifact(_explain_missing_model(folder, files, candidates))
    if ensemble is None:
        ensemble = all(NUMBERED_NAME.fullmatch(name) for name in chosen)
    if len(chosen) > 1 and not ensemble:
        raise BadArtifact(
            f"{folder} contains several models ({listed(chosen)}): remove all but one, "
            "or set SAGEMAKER_INFERENCE_ENSEMBLE=true to serve them as one ensemble"
        )
    ignored_files = _explain_ignored(folder, files, chosen)
    first, *others = [_inspect(folder / name, ignored_files) for name in chosen]
    return replace(first, other_members=tuple(others))


def find_self_test(folder: Path) -> tuple[Path, Path] | None:
    """Return the request file and the expected response of the self-test.

    Return None if the artifact has neither. Raises BadArtifact if it does not have one of each.
    """
    self_test = folder / SELF_TEST_NAME
    requests = sorted(self_test.glob("request.*"))
    responses = sorted(self_test.glob("expected.*"))
    if not requests and not responses:
        return None
    if len(requests) != 1 or len(responses) != 1:
        raise BadArtifact(
            f"{self_test}: expected one request.* and one expected.* file, "
            f"found {len(requests)} and {len(responses)}"
        )
    return requests[0], responses[0]


def _list_files(folder: Path) -> list[str]:
    """Return the paths of all files below a directory, relative to it."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def _explain_skip(name: str) -> str:
    """Return why a path cannot be the model's, or "" if it can.

    Only the path itself is considered, not the file's content.
    """
    parts = name.split("/")
    if any(part.startswith(".") for part in parts):
        return "hidden file"
    if parts[0] in (CODE_NAME, SELF_TEST_NAME):
        return f"in the {parts[0]} directory"
    return "the schema" if name == SCHEMA_NAME else ""


def _choose_models(folder: Path, candidates: list[str], *, choose_all: bool) -> list[str]:
    """Return the names of the model files.

    Files with a standard name take precedence, then files with numbered names, then models
    recognized by their bytes. A file that is the only one with a numbered name is treated like any
    other file.
    """
    standard = [name for name in candidates if name in STANDARD_NAMES]
    numbered = sorted(filter(NUMBERED_NAME.fullmatch, candidates), key=_order_by_number)
    other_names = [name for name in candidates if name not in (*standard, *numbered)]
    recognized = [name for name in other_names if detect_format(folder / name)]
    if choose_all:
        return standard + numbered + recognized
    if standard:
        return standard
    if len(numbered) > 1:
        return numbered
    return sorted([name for name in numbered if detect_format(folder / name)] + recognized)


def _order_by_number(name: str) -> tuple[int, str]:
    return int(name.rpartition("-")[2]), name


def _explain_missing_model(folder: Path, files: list[str], candidates: list[str]) -> str:
    """Return the error for a directory without a model.

    If exactly one file has a format that the server recognizes but does not load, the error
    explains that format.
    """
    foreign = [folder / name for name in candidates if has_foreign_format(folder / name)]
    if len(foreign) == 1:
        return explain_unreadable(foreign[0])
    contents = f"it contains {listed(files)}" if files else "it is empty"
    return (
        f"{folder} contains no model: expected {', '.join(STANDARD_NAMES)} "
        f"or one other file in XGBoost's UBJSON or JSON format; {contents}"
    )


def _explain_ignored(folder: Path, files: list[str], chosen: list[str]) -> dict[str, str]:
    """Return the files that the server does not use, each with the reason."""
    ignored = {}
    for name in files:
        if name in chosen or name == SCHEMA_NAME or name.startswith(f"{SELF_TEST_NAME}/"):
            continue
        ignored[name] = _explain_skip(name) or _explain_not_chosen(folder / name)
    return ignored


def _explain_not_chosen(path: Path) -> str:
    return OTHER_MODEL if detect_format(path) else NOT_A_MODEL


def _inspect(path: Path, ignored_files: dict[str, str]) -> ModelFile:
    """Return the model file at a path; raises BadArtifact for anything but a complete model."""
    format_ = detect_format(path)
    if not format_:
        raise BadArtifact(explain_unreadable(path))
    return ModelFile(path, format_, read_writer_version(path, format_), ignored_files)
