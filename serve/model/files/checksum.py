"""The SHA-256 of a model file, in a file beside it, in the form of the program sha256sum."""

import hashlib
import re
import shlex
from pathlib import Path

from serve.errors import BadArtifact
from serve.model.files.reading import MAX_CHECKSUM_BYTES, read_file
from serve.text import printable

CHECKSUM_SUFFIX = ".sha256"
DIGEST = re.compile(rb"(?<![0-9a-zA-Z])[0-9a-fA-F]{64}(?![0-9a-zA-Z])")


def format_checksum(name: str, content: bytes) -> str:
    """Return the content of a checksum file for a file with this name and content."""
    return f"{hashlib.sha256(content).hexdigest()}  {name}\n"


def check_content(path: Path, content: bytes, checksum: Path) -> None:
    """Raise BadArtifact, with what to do, if the content of a file has another SHA-256."""
    expected = _read_digest(checksum, path.name)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise BadArtifact(
            f"{printable(path)}: expected the SHA-256 {expected[:12]}… of "
            f"{printable(checksum.name)}, got {found[:12]}…: {_advise(path, checksum)}"
        )


def _read_digest(checksum: Path, name: str) -> str:
    digests = DIGEST.findall(read_file(checksum, MAX_CHECKSUM_BYTES))
    if len(digests) != 1:
        raise BadArtifact(
            f"{printable(checksum)}: expected one SHA-256, as sha256sum prints it, got "
            f"{len(digests)}: write it again with: {_suggest_command(checksum, name)}, or remove it"
        )
    digest: bytes = digests[0]
    return digest.decode().lower()


def _advise(path: Path, checksum: Path) -> str:
    """Return what to do: a file that changed after its checksum was probably saved again."""
    copy = "copy it again"
    rewrite = f"rewrite the checksum with: {_suggest_command(checksum, path.name)}"
    if path.stat().st_mtime > checksum.stat().st_mtime:
        return f"if you saved the model again, {rewrite}; otherwise {copy}, because it is damaged"
    return f"the file is damaged: {copy}; only if you replaced the model on purpose, {rewrite}"


def _suggest_command(checksum: Path, name: str) -> str:
    folder, file = shlex.quote(printable(checksum.parent)), shlex.quote(printable(name))
    return f"(cd {folder} && sha256sum {file} > {file}{CHECKSUM_SUFFIX})"
