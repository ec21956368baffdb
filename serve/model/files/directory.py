"""Check that the model directory is a directory, and explain what to do if it is a file."""

import shlex
from pathlib import Path

from serve.errors import BadArtifact
from serve.model.files.listing import Entry
from serve.model.foreign.formats import Likelihood
from serve.model.foreign.recognition import recognize
from serve.text import printable

ARCHIVE_SUFFIXES = (".gz", ".tgz", ".bz2", ".xz", ".tar", ".zip")


def check_directory(folder: Path) -> None:
    """Raise BadArtifact, with what to do, if the path is not a directory."""
    try:
        if folder.is_dir():
            return
        is_file = folder.is_file()
    except OSError as error:
        raise BadArtifact(f"{folder} cannot be read: {error.strerror}") from error
    if is_file:
        raise BadArtifact(_explain_file(folder))
    raise BadArtifact(
        f"{folder} is not a directory: put the model there, "
        "or set SM_MODEL_DIR to the directory that contains it"
    )


def _explain_file(path: Path) -> str:
    found = recognize(Entry(path.parent, path.name))
    if found is None or found.likelihood != Likelihood.ARCHIVE:
        message = "expected the directory of the artifact, got a file"
        return f"{printable(path)}: {message}: use its directory, {_quote(path.parent)}"
    target = _remove_suffixes(path)
    command = "unzip {} -d {}" if path.suffix == ".zip" else "mkdir -p {1} && tar -xf {0} -C {1}"
    return (
        f"{printable(path)}: expected the directory of the artifact, got an archive: extract it "
        f"with {command.format(_quote(path), _quote(target))}, and use {_quote(target)}"
    )


def _remove_suffixes(path: Path) -> Path:
    """Return the path of a directory for the archive's files."""
    target = path
    while target.suffix in ARCHIVE_SUFFIXES:
        target = target.with_suffix("")
    return target if target != path else path.with_name(f"{path.name}-extracted")


def _quote(path: Path) -> str:
    return shlex.quote(printable(path))
