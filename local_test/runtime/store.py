"""A folder that stands for S3: s3://BUCKET/KEY is the file FOLDER/BUCKET/KEY."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

SCHEME = "s3://"


class NoSuchObject(Exception):
    """No object of the store has this address."""


@dataclass(frozen=True, slots=True)
class Store:
    """Objects as files, none of which lies outside of ``folder``."""

    folder: Path

    def read(self, address: str, longest: int) -> bytes:
        """Return the bytes of an object that has at most so many; raises NoSuchObject."""
        path = self.path(address)
        try:
            if (size := path.stat().st_size) > longest:
                raise NoSuchObject(
                    f"{address}: {size:,} bytes, where {longest:,} are taken at most"
                )
            return path.read_bytes()
        except OSError as error:
            raise NoSuchObject(
                f"{address}: no such object; put the file where {path} is"
            ) from error

    def write(self, address: str, content: bytes) -> None:
        """Make an object, which appears only when it is whole."""
        path = self.path(address)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{uuid4()}")
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def path(self, address: str) -> Path:
        """Return an object's file; raises NoSuchObject for an address that leads out of the folder, or is none of s3://."""
        path = self.folder / address.removeprefix(SCHEME)
        path = path if "\0" in address else path.resolve()
        if (
            "\0" in address
            or not address.startswith(SCHEME)
            or ".." in address.split("/")
            or self.folder.resolve() not in path.parents
        ):
            raise NoSuchObject(
                f"{address}: expected s3://BUCKET/KEY, which stands for the file {self.folder}/BUCKET/KEY"
            )
        return path
