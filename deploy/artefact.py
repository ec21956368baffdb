"""The artefact: checked by the server itself, packed the same each time, and known by its content."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.configuration import Configuration
from deploy.failures import DeployError

ENTRYPOINT = Path(__file__).resolve().parent.parent / "container" / "entrypoint.py"
CHECK_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Artefact:
    """A packed artefact: the bytes of its tar.gz, and what the server's own check says of what is in it."""

    packed: bytes
    report: dict[str, Any]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.packed).hexdigest()

    @property
    def sample_reply(self) -> str | None:
        """Return what this machine's server answers to the sample."""
        return self.report.get("sample_reply")


def artefact_of(configuration: Configuration) -> Artefact:
    """Check and pack what the configuration names; raises DeployError."""
    path = configuration.model.artefact
    try:
        if path.is_dir():
            return Artefact(_pack(path), _check(path, configuration))
        with tempfile.TemporaryDirectory() as folder:
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
            return Artefact(path.read_bytes(), _check(Path(folder), configuration))
    except (OSError, tarfile.TarError) as error:
        raise DeployError(f"model.artefact: {path} is neither a folder nor a tar.gz that can be read: {error}") from error


def _pack(folder: Path) -> bytes:
    # No times, owners or modes of this machine: the same files are the same bytes, and so the same key in S3.
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                archive.addfile(entry, file)
    return packed.getvalue()


def _check(folder: Path, configuration: Configuration) -> dict[str, Any]:
    formats = configuration.data_format
    command = [sys.executable, str(ENTRYPOINT), "check", "--json", str(folder), *([str(formats.sample)] if formats.sample else [])]
    outcome = subprocess.run(  # noqa: S603 - the project's own program, with a path as one argument
        command, env=os.environ | dict(formats.environment), capture_output=True, text=True, check=False, timeout=CHECK_SECONDS
    )
    if outcome.returncode:
        said = outcome.stderr.strip().splitlines() or ["it ended without a word"]
        raise DeployError(f"model.artefact: {configuration.model.artefact}: the server would not start on it: {said[-1]}")
    report: dict[str, Any] = json.loads(outcome.stdout)
    return report
