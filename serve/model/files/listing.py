"""List the files of the model directory, and read the first bytes of one without blocking.

Nothing here fails because of a single file: a pipe, a device, a dangling link or an unreadable file
is an entry with an obstacle.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from serve.errors import BadArtifact
from serve.text import printable

# Enough to recognize every format that is not compressed.
HEAD_BYTES = 512

SPECIAL_FILES = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
CLOSED_DIRECTORY = "a directory that cannot be read"
LINKED_DIRECTORY = "a link to a directory, which is not followed"
SPECIAL_OBSTACLES = {f"is {kind}" for _, kind in SPECIAL_FILES}
LINK_ERRORS = {
    errno.ENOENT: "is a link to a file that does not exist",
    errno.ELOOP: "is a link that leads back to itself",
}


class NotReadable(Exception):
    """A file cannot be read; the message is a predicate, such as "is a named pipe"."""


@dataclass(frozen=True)
class Entry:
    """A file of the model directory, or anything else with a name except a directory.

    ``name`` is the path relative to the directory, with "/" between its parts.
    """

    directory: Path
    name: str

    @property
    def path(self) -> Path:
        return self.directory / self.name

    @property
    def folder(self) -> str:
        """The part of the name up to the last "/", or "" at the top level."""
        return self.name[: -len(self.base_name)]

    @property
    def base_name(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def head(self) -> bytes:
        """The first bytes of the file, or none if it cannot be read."""
        return self._content[0]

    @property
    def obstacle(self) -> str:
        """Why the file cannot be read, as a predicate, or "" if it can."""
        return self._content[1]

    @property
    def is_special(self) -> bool:
        """Whether it is a pipe, a device or the like, which cannot be meant as the model."""
        return self.obstacle in SPECIAL_OBSTACLES

    @cached_property
    def _content(self) -> tuple[bytes, str]:
        try:
            return read_head(self.path), ""
        except NotReadable as error:
            return b"", str(error)


def list_entries(directory: Path) -> list[Entry]:
    """Return the files below a directory, sorted by name; links to directories are not followed.

    A subdirectory that cannot be read is an entry itself. Raises BadArtifact if the directory
    itself cannot be read.
    """
    entries: list[Entry] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            for name, is_directory in _scan(directory, folder):
                if is_directory:
                    pending.append(f"{name}/")
                else:
                    entries.append(Entry(directory, name))
        except OSError as error:
            if not folder:
                raise BadArtifact(
                    f"{printable(directory)} cannot be read: {error.strerror}: {_suggest_mode()}"
                ) from error
            entries.append(Entry(directory, folder.removesuffix("/")))
    return sorted(entries, key=lambda entry: entry.name)


def read_head(path: Path, size: int = HEAD_BYTES) -> bytes:
    """Return the first bytes of a regular file, without ever waiting for them.

    Raises NotReadable for anything that is not a readable regular file.
    """
    with open_regular(path) as file:
        return file.read(size) or b""


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading, without ever waiting.

    Raises NotReadable for anything that is not a readable regular file, also in the block.
    """
    try:
        # Opening a device may have side effects, and opening a pipe may block.
        if not stat.S_ISREG(mode := path.stat().st_mode):
            raise NotReadable(f"is {_describe_mode(mode, path)}")
        with open(path, "rb", opener=_open_without_blocking) as file:
            yield file
    except OSError as error:
        raise NotReadable(_describe_error(error, path)) from error


def suggest_replacement(obstacle: str) -> str:
    """Return what to do about a file or folder with an obstacle, which the model needs."""
    if obstacle.startswith("cannot be read") or obstacle == f"is {CLOSED_DIRECTORY}":
        return _suggest_mode()
    if obstacle == f"is {LINKED_DIRECTORY}":
        return "replace it with the directory itself"
    return "replace it with the file itself"


def _scan(directory: Path, folder: str) -> Iterator[tuple[str, bool]]:
    with os.scandir(directory / folder) as children:
        for child in children:
            yield f"{folder}{child.name}", child.is_dir(follow_symlinks=False)


def _open_without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _describe_mode(mode: int, path: Path) -> str:
    if stat.S_ISDIR(mode):
        return LINKED_DIRECTORY if path.is_symlink() else CLOSED_DIRECTORY
    kinds = (kind for matches, kind in SPECIAL_FILES if matches(mode))
    return next(kinds, "not a regular file")


def _describe_error(error: OSError, path: Path) -> str:
    if error.errno in LINK_ERRORS and path.is_symlink():
        return LINK_ERRORS[error.errno]
    return f"cannot be read: {error.strerror or error}"


def _suggest_mode() -> str:
    return f"make it readable for user {os.geteuid()}, such as with chmod -R a+rX"
