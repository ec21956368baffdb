"""Find the model among the files of the model directory (/opt/ml/model).

A model is recognized by its file name, otherwise by its first bytes. A file is not assumed to be
the model just because it is the only one. Source: contract 4.1 to 4.9.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from serve.errors import BadArtifact
from serve.model.files.choice import choose_models, find_common_folder
from serve.model.files.companion_warnings import list_warnings
from serve.model.files.companions import find_checksum, find_schema, find_self_test
from serve.model.files.directory import check_directory
from serve.model.files.ignored import explain_ignored
from serve.model.files.listing import Entry, list_entries
from serve.model.files.missing_model import explain_missing_model
from serve.model.files.model_format import detect_format, read_writer_version
from serve.model.files.names import explain_skip, is_checkpoint
from serve.model.files.numbering import are_members, check_numbering
from serve.model.foreign.recognition import explain_unreadable
from serve.text import listed

# Bytes of memory needed to load a model, with the kernel, per byte of its file. Measured with
# 130,000 splits.
MEMORY_PER_FILE_BYTE = {"UBJSON": 8, "JSON": 14}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file, with its format and the version of XGBoost that wrote it.

    Attributes:
        name: the path relative to the model directory.
        schema: the schema.json that qualifies the model, if there is one.
        checksum: the file with the SHA-256 of the model file, if there is one.
        self_test: the request and the expected response of the self-test, if there is one.
        ignored_files: the reason for each unused file of the directory; of many, the most relevant.
        ignored_file_count: the number of all unused files.
        warnings: sentences about files that do not clearly qualify the model.
        other_members: the remaining members of an ensemble, in its first member.
        is_sound: whether the structure of the file has been checked before.

    """

    path: Path
    name: str
    format: str
    writer_version: tuple[int, ...]
    schema: Path | None = None
    checksum: Path | None = None
    self_test: tuple[Path, Path] | None = None
    ignored_files: dict[str, str] = field(default_factory=dict)
    ignored_file_count: int = 0
    ignored_models: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    other_members: tuple["ModelFile", ...] = ()
    is_sound: bool = False

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


def find_model(folder: Path, *, ensemble: bool | None = None) -> ModelFile:
    """Return the model file of a directory, or the first member of an ensemble.

    With ``ensemble=True``, all models in the directory form one ensemble. With False, more than one
    model is an error. With None, the file names decide: ``xgboost-model-N`` files form an ensemble.

    Raises BadArtifact, with the directory's contents and the fix, if there is no such model.
    """
    check_directory(folder)
    entries = list_entries(folder)
    candidates = [entry for entry in entries if not explain_skip(entry.name)]
    chosen = choose_models(folder, candidates, choose_all=ensemble is True)
    if not chosen:
        raise BadArtifact(explain_missing_model(folder, entries, candidates))
    if len(chosen) > 1 and not (are_members(chosen) if ensemble is None else ensemble):
        raise BadArtifact(_explain_several(folder, chosen))
    warnings = [] if ensemble is False else check_numbering(candidates, chosen)
    return _build_model_file(entries, chosen, warnings)


def _explain_several(folder: Path, chosen: Sequence[Entry]) -> str:
    names = [entry.name for entry in chosen]
    message = f"{folder} contains several models ({listed(names)}): remove all but one"
    if all(map(is_checkpoint, names)):
        return f"{message}, because they are the checkpoints of one training job"
    return f"{message}, or set SAGEMAKER_INFERENCE_ENSEMBLE=true to serve them as one ensemble"


def _build_model_file(
    entries: Sequence[Entry], chosen: Sequence[Entry], warnings: Sequence[str]
) -> ModelFile:
    """Return the chosen file, or the first member of an ensemble with all others."""
    folder = find_common_folder(chosen)
    self_test = find_self_test(entries, folder)
    schemas = [find_schema(entries, entry.folder) for entry in chosen]
    checksums = [find_checksum(entries, entry) for entry in chosen]
    companions = [*(self_test or ()), *filter(None, schemas), *filter(None, checksums)]
    ignored = explain_ignored(entries, [*chosen, *companions], chosen)
    first, *others = [_inspect(*found) for found in zip(chosen, schemas, checksums, strict=True)]
    return replace(
        first,
        self_test=(self_test[0].path, self_test[1].path) if self_test else None,
        ignored_files=ignored.reasons,
        ignored_file_count=ignored.count,
        ignored_models=ignored.models,
        warnings=(*warnings, *list_warnings(entries, companions, chosen[0], folder)),
        other_members=tuple(others),
    )


def _inspect(entry: Entry, schema: Entry | None, checksum: Entry | None) -> ModelFile:
    """Return the model file of an entry; raises BadArtifact for anything but a complete model."""
    format_ = detect_format(entry.head)
    if not format_:
        raise BadArtifact(explain_unreadable(entry))
    version = read_writer_version(entry.path, format_)
    return ModelFile(
        entry.path,
        entry.name,
        format_,
        version,
        schema.path if schema else None,
        checksum.path if checksum else None,
    )
