"""Validates the model artifact as the server would, and packs it reproducibly."""

import io
import re
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from container.check import check
from deploy.config.configuration import Configuration
from deploy.config.environment import ACCEPT_VARIABLE, build_environment
from deploy.desired.tarball import HashingGzipFile, unpack
from deploy.errors import DeployError
from serve.errors import BadSetting, StartupError
from serve.settings import Settings


@dataclass(frozen=True, slots=True)
class Artifact:
    """A validated model artifact, ready for upload.

    Attributes:
        tarball: the bytes of the tar.gz.
        sha256: hash of the uncompressed tar. Unlike a hash of the tar.gz, it does not depend on
            gzip's timestamp or the zlib version, so the same files have the same model name on
            every machine.
        report: the server's own report on the artifact, from `container.check`.
    """

    tarball: bytes
    sha256: str
    report: dict[str, Any]

    @property
    def sample_response(self) -> str | None:
        """The response of the server on this machine to the sample payload."""
        return self.report.get("sample_response")

    @property
    def warnings(self) -> list[str]:
        """What the server warns about at startup."""
        return list(self.report["warnings"])


def build_artifact(configuration: Configuration) -> Artifact:
    """Validate and pack the folder or tar.gz of the configuration; raises DeployError."""
    path = configuration.model.artifact
    try:
        if path.is_dir():
            report = _check(path, configuration)
            tarball, sha256 = _pack(path)
            return Artifact(tarball, sha256, report)
        with tempfile.TemporaryDirectory() as folder:
            sha256 = unpack(path, Path(folder))
            report = _check(Path(folder), configuration, packed=True)
        return Artifact(path.read_bytes(), sha256, report)
    except OSError as error:
        raise DeployError(
            f"model.artifact: {error.filename or path}: expected a readable folder or tar.gz: "
            f"{error.strerror or error}"
        ) from error


def _check(folder: Path, configuration: Configuration, *, packed: bool = False) -> dict[str, Any]:
    """Run the server's check with the container's environment instead of this shell's.

    If the artifact is ``packed``, messages name its files relative to the tar.gz, because the
    folder is temporary.
    """
    data_format = configuration.data_format
    try:
        environment = build_environment(configuration)
        return check(Settings.from_env(environment), folder, data_format.sample, environment)
    except BadSetting as error:
        key = "data_format.environment"
        if data_format.accept and str(error).startswith(ACCEPT_VARIABLE):
            key = "data_format.accept"
        raise DeployError(f"{key}: the server would not start: {error}") from error
    except (StartupError, OSError) as error:
        if data_format.sample and str(error).startswith(f"{data_format.sample}: "):
            raise DeployError(f"data_format.sample: {error}") from error
        reason = _name_packed_files(str(error), folder) if packed else str(error)
        raise DeployError(
            f"model.artifact: {configuration.model.artifact}: the server would not start: {reason}"
        ) from error


def _name_packed_files(message: str, folder: Path) -> str:
    """Return a message with the files of a temporary folder named as in the tar.gz."""
    path = re.escape(str(folder))
    # The arguments of commands that the message recommends
    named, commands = re.subn(rf"(MODEL=|-xf |-C ){path}", r"\1FOLDER", message)
    named = named.replace(f"{folder}/", "").replace(str(folder), "the tar.gz")
    return f"{named}, after you extract the tar.gz into FOLDER" if commands else named


def _pack(folder: Path) -> tuple[bytes, str]:
    """Return a folder as tar.gz, and the tar's SHA-256.

    The tar has no times, owners or modes of this machine, so the same files have the same hash.
    """
    content = io.BytesIO()
    with HashingGzipFile(content) as gzip_file, tarfile.open(fileobj=gzip_file, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() and path.is_dir():
                raise DeployError(
                    f"model.artifact: symbolic links to folders are not packed: {path}; "
                    "replace the link with the folder"
                )
            if path.is_file():
                _add_file(tar, path, path.relative_to(folder).as_posix())
    return content.getvalue(), gzip_file.sha256


def _add_file(tar: tarfile.TarFile, path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = path.stat().st_size, 0o644
    with path.open("rb") as file:
        tar.addfile(member, file)
