"""Packs a folder as model.tar.gz, from which SageMaker extracts the same models for the server.

A tarball of plain files has no links, so a second name of a model would become a second model.
"""

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.desired.tarball import HashingGzipFile
from serve.model.artifact import ModelFile
from serve.model.files.duplicates import identify
from serve.model.files.listing import Entry, list_entries
from serve.text import quoted, shortened

MAX_LISTED_FILES = 5


@dataclass(frozen=True, slots=True)
class PackedFolder:
    """A folder as tar.gz.

    Attributes:
        tarball: the bytes of the tar.gz.
        sha256: hash of the uncompressed tar.
        warning: the files that are not in it because they cannot be read, or "".
    """

    tarball: bytes
    sha256: str
    warning: str


def pack(folder: Path, model: ModelFile) -> PackedFolder:
    """Return a folder as tar.gz, given the model that the server finds in it.

    Files that cannot be read are left out, and so are other names of the model's files. The tar has
    no times, owners or modes of this machine, so the same files have the same hash.
    """
    entries = sorted(list_entries(folder), key=lambda entry: entry.path)
    unreadable = [entry for entry in entries if entry.obstacle]
    content = io.BytesIO()
    with HashingGzipFile(content) as gzip_file, tarfile.open(fileobj=gzip_file, mode="w") as tar:
        for entry in _drop_other_names(entries, model):
            if not entry.obstacle:
                _add_file(tar, entry)
    return PackedFolder(content.getvalue(), gzip_file.sha256, _describe(unreadable))


def _drop_other_names(entries: Sequence[Entry], model: ModelFile) -> list[Entry]:
    """Return the entries without links to a model, except for the names that the server uses."""
    used = {*(model.self_test or ())}
    for member in model.members:
        used |= {member.path, *([member.schema] if member.schema else [])}
    paths = {member.path for member in model.members}
    models = {identify(entry) for entry in entries if entry.path in paths}
    return [entry for entry in entries if entry.path in used or identify(entry) not in models]


def _add_file(tar: tarfile.TarFile, entry: Entry) -> None:
    with entry.path.open("rb") as file:
        member = tarfile.TarInfo(entry.name)
        member.size, member.mode = entry.path.stat().st_size, 0o644
        tar.addfile(member, file)


def _describe(unreadable: Sequence[Entry]) -> str:
    if not unreadable:
        return ""
    described = [f"{quoted(entry.name)} ({entry.obstacle})" for entry in unreadable]
    return f"not uploaded: {shortened(described, MAX_LISTED_FILES)}"
