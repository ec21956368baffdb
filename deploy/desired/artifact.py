"""The artifact: checked by the server itself, packed the same each time, and known by its content."""

import io
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from container.check import check
from deploy.config.configuration import Configuration
from deploy.desired.tarball import Packed, unpack
from deploy.errors import DeployError
from serve.errors import BadSetting, StartupError
from serve.settings import Settings


@dataclass(frozen=True, slots=True)
class Artifact:
    """A packed artifact: the bytes of its tar.gz, the hash of the tar in it, and what the server's own check says of it.

    The hash is of the tar and not of the bytes that are uploaded: gzip writes a time, and another zlib packs otherwise, so that the
    same content would be another model, and an update, on each machine.
    """

    tarball: bytes
    sha256: str
    report: dict[str, Any]

    @property
    def sample_response(self) -> str | None:
        """Return what this machine's server answers to the sample."""
        return self.report.get("sample_reply")


def build_artifact(configuration: Configuration) -> Artifact:
    """Check and pack what the configuration names; raises DeployError."""
    path = configuration.model.artifact
    try:
        if path.is_dir():
            report = _check(path, configuration)
            return Artifact(*_pack(path), report)
        with tempfile.TemporaryDirectory() as folder:
            sha256 = unpack(path, Path(folder))
            return Artifact(path.read_bytes(), sha256, _check(Path(folder), configuration))
    except OSError as error:
        raise DeployError(
            f"model.artifact: {path}: {error.strerror or error}: expected a folder or a tar.gz that can be read"
        ) from error


def _pack(folder: Path) -> tuple[bytes, str]:
    # No times, owners or modes of this machine: the same files are the same tar, and so the same key in S3.
    packed = io.BytesIO()
    with Packed(packed) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() and path.is_dir():
                raise DeployError(
                    f"model.artifact: {path} is a link to a folder, which is not packed: put the folder itself there"
                )
            if path.is_file():
                entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
                entry.size, entry.mode = path.stat().st_size, 0o644
                with path.open("rb") as file:
                    archive.addfile(entry, file)
    return packed.getvalue(), zipped.sha256


def _check(folder: Path, configuration: Configuration) -> dict[str, Any]:
    formats = configuration.data_format
    try:
        # In this process, but with the container's environment instead of this shell's.
        return check(Settings.from_env(formats.environment), folder, formats.sample)
    except BadSetting as error:
        raise DeployError(
            f"data_format.environment: the server would not start: {error}"
        ) from error
    except (StartupError, OSError) as error:
        if formats.sample and str(error).startswith(f"{formats.sample}: "):
            raise DeployError(f"data_format.sample: {error}") from error
        raise DeployError(
            f"model.artifact: {configuration.model.artifact}: the server would not start on it: {error}"
        ) from error
