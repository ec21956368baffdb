"""A tarball as SageMaker takes it: gzip'd, whole, and of files that stay in their folder."""

import gzip
import hashlib
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from deploy.errors import DeployError

MAGIC = b"\x1f\x8b"
BLOCK = 1 << 20
MAKE = "tar -czhf model.tar.gz -C FOLDER . makes one"


class Packed(gzip.GzipFile):
    """Packs what is written, and knows the hash of what it was."""

    def __init__(self, sink: BinaryIO) -> None:
        super().__init__(fileobj=sink, mode="wb", mtime=0)
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: Any) -> int:
        """Pack what comes next."""
        self._hash.update(data)
        return super().write(data)


def unpack(path: Path, folder: Path) -> str:
    """Unpack a tar.gz, and return the hash of the tar in it; raises DeployError for what SageMaker could not take, and OSError."""
    with path.open("rb") as packed:
        if packed.read(len(MAGIC)) != MAGIC:
            raise DeployError(
                f"model.artifact: {path} is not packed by gzip, and SageMaker takes tar.gz alone: {MAKE}"
            )
        packed.seek(0)
        try:
            sha256 = _sha256(packed)
            packed.seek(0)
            with tarfile.open(fileobj=packed, mode="r:gz") as archive:
                for member in archive:
                    _verify(path, member)
                    archive.extract(member.replace(mtime=0), folder, filter="data")
        except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, ValueError) as error:
            raise DeployError(
                f"model.artifact: {path} is cut off or damaged ({error}): pack or copy it again: {MAKE}"
            ) from error
    return sha256


def _sha256(packed: BinaryIO) -> str:
    # To the end, where gzip has its checksum: a reader of the tar alone may stop before a fault.
    digest = hashlib.sha256()
    with gzip.GzipFile(fileobj=packed) as unzipped:
        while part := unzipped.read(BLOCK):
            digest.update(part)
    return digest.hexdigest()


def _verify(path: Path, member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise DeployError(
            f"model.artifact: {path} holds {member.name}, which would lie outside of its folder: {MAKE}"
        )
    if not (member.isfile() or member.isdir()):
        kind = "link" if member.islnk() or member.issym() else "device"
        raise DeployError(
            f"model.artifact: {path} holds the {kind} {member.name}: only files and folders are served: {MAKE}"
        )
