"""Validates the model artifact as the server would, and packs it reproducibly."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from container.check import check
from deploy.config.configuration import Configuration
from deploy.config.environment import ACCEPT_VARIABLE, build_environment
from deploy.desired.packing import pack
from deploy.desired.tarball import unpack
from deploy.errors import DeployError
from serve.errors import BadSetting, InvocationError, StartupError
from serve.model.artifact import find_model
from serve.settings import Settings


@dataclass(frozen=True, slots=True)
class Artifact:
    """A validated model artifact, ready for upload.

    Attributes:
        tarball: the bytes of the tar.gz.
        sha256: hash of the uncompressed tar. Unlike a hash of the tar.gz, it does not depend on
            gzip's timestamp or the zlib version, so the same files have the same model name on
            every machine.
        sample_response: the response of the server on this machine to the sample payload.
        warnings: the files that are not uploaded, and what the server warns about at startup.
    """

    tarball: bytes
    sha256: str
    sample_response: str | None
    warnings: tuple[str, ...]


def build_artifact(configuration: Configuration) -> Artifact:
    """Validate and pack the folder or tar.gz of the configuration; raises DeployError."""
    path = configuration.model.artifact
    try:
        with tempfile.TemporaryDirectory() as folder:
            if path.is_dir():
                return _pack(path, configuration)
            tarball = path.read_bytes()
            unpacked = unpack(tarball, path, Path(folder))
            if unpacked.has_links:
                return _pack(Path(folder), configuration)
            report = _check(Path(folder), configuration)
            return _build(tarball, unpacked.sha256, report)
    except OSError as error:
        raise DeployError(
            f"model.artifact: {error.filename or path}: expected a readable folder or tar.gz: "
            f"{error.strerror or error}"
        ) from error


def _build(tarball: bytes, sha256: str, report: dict[str, Any], *warnings: str) -> Artifact:
    shown = (*filter(None, warnings), *report["warnings"])
    return Artifact(tarball, sha256, report.get("sample_response"), shown)


def _pack(folder: Path, configuration: Configuration) -> Artifact:
    """Pack a folder, and check what the tar.gz contains instead of the folder."""
    with _translating_errors(folder, configuration):
        settings = Settings.from_env(build_environment(configuration))
        # Rejects, by its name in the folder, a needed file that cannot be packed.
        model = find_model(folder, ensemble=settings.ensemble)
    packed = pack(folder, model)
    with tempfile.TemporaryDirectory() as extracted:
        unpack(packed.tarball, folder, Path(extracted))
        report = _check(Path(extracted), configuration)
    return _build(packed.tarball, packed.sha256, report, packed.warning)


def _check(folder: Path, configuration: Configuration) -> dict[str, Any]:
    """Run the server's check with the container's environment instead of this shell's."""
    with _translating_errors(folder, configuration):
        environment = build_environment(configuration)
        settings = Settings.from_env(environment)
        data_format = configuration.data_format
        report = check(settings, folder, data_format.sample, environment, data_format.content_types)
    path = configuration.model.artifact
    warnings = [_name_files(warning, folder, path) for warning in report["warnings"]]
    return report | {"warnings": warnings}


@contextmanager
def _translating_errors(folder: Path, configuration: Configuration) -> Iterator[None]:
    """Raise DeployError, with the key of the configuration, for what would prevent startup."""
    data_format = configuration.data_format
    try:
        yield
    except BadSetting as error:
        key = "data_format.environment"
        if data_format.accept and str(error).startswith(ACCEPT_VARIABLE):
            key = "data_format.accept"
        raise DeployError(f"{key}: the server would not start: {error}") from error
    except InvocationError as error:
        raise DeployError(
            f"data_format.content_types: the server would reject every payload: {error}"
        ) from error
    except (StartupError, OSError) as error:
        if data_format.sample and str(error).startswith(f"{data_format.sample}: "):
            raise DeployError(f"data_format.sample: {error}") from error
        path = configuration.model.artifact
        reason = _name_files(str(error), folder, path)
        raise DeployError(
            f"model.artifact: {path}: the server would not start: {reason}"
        ) from error


def _name_files(message: str, folder: Path, artifact: Path) -> str:
    """Return a message about a temporary folder with the files named as in the artifact."""
    if artifact.is_dir():
        return message.replace(str(folder), str(artifact))
    return _name_packed_files(message, folder)


def _name_packed_files(message: str, folder: Path) -> str:
    """Return a message with the files of a temporary folder named as in the tar.gz."""
    path = re.escape(str(folder))
    # The arguments of commands that the message recommends
    named, commands = re.subn(rf"(MODEL=|-xf |-C ){path}", r"\1FOLDER", message)
    named = named.replace(f"{folder}/", "").replace(str(folder), "the tar.gz")
    return f"{named}, after you extract the tar.gz into FOLDER" if commands else named
