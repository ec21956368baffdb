"""A folder that replaces S3: s3://BUCKET/KEY is the file FOLDER/BUCKET/KEY."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

SCHEME = "s3://"


class S3Error(Exception):
    """An S3 URI is invalid, or its object does not exist or is too large."""


@dataclass(frozen=True, slots=True)
class LocalS3:
    """Objects stored as files, all of them inside ``folder``."""

    folder: Path

    def read(self, uri: str, max_bytes: int) -> bytes:
        """Return the content of an object of at most ``max_bytes`` bytes; raises S3Error."""
        path = self.path(uri)
        try:
            size = path.stat().st_size
            if size > max_bytes:
                raise S3Error(f"{uri}: expected at most {max_bytes:,} bytes, got {size:,}")
            return path.read_bytes()
        except OSError as error:
            raise S3Error(f"{uri}: no such object; expected it in the file {path}") from error

    def write(self, uri: str, content: bytes) -> None:
        """Write an object atomically; raises S3Error or OSError."""
        path = self.path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{uuid4()}")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def path(self, uri: str) -> Path:
        """Return an object's file; raises S3Error if the URI is invalid or leaves the folder."""
        key = uri.removeprefix(SCHEME)
        is_valid = uri.startswith(SCHEME) and "\0" not in uri and ".." not in uri.split("/")
        if is_valid:
            path = (self.folder / key).resolve()
            if self.folder.resolve() in path.parents:
                return path
        raise S3Error(f"{uri}: expected s3://BUCKET/KEY, the file {self.folder}/BUCKET/KEY")
