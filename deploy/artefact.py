"""The artefact: checked by the server itself, packed the same each time, and known by its content."""

import gzip
import hashlib
import io
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from container.check import check
from deploy.configuration import Configuration
from deploy.failures import DeployError
from serve.errors import BadSetting, StartError
from serve.settings import Settings


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
    try:
        # In this process, but with the container's environment instead of this shell's.
        return check(Settings.from_env(formats.environment), folder, formats.sample)
    except BadSetting as error:
        raise DeployError(f"data_format.environment: the server would not start: {error}") from error
    except (StartError, OSError) as error:
        raise DeployError(f"model.artefact: {configuration.model.artefact}: the server would not start on it: {error}") from error
