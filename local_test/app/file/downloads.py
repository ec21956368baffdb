"""Store the latest CSV files with predictions until they are downloaded or replaced."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

MAX_FILES = 8


@dataclass(frozen=True, slots=True)
class Download:
    """A file on disk and the name under which the browser saves it."""

    path: Path
    name: str


class Downloads:
    """The last MAX_FILES files in a folder, each under a key that cannot be guessed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: OrderedDict[str, Download] = OrderedDict()
        self._lock = Lock()

    def add(self, name: str) -> tuple[str, Path]:
        """Return the key and path of a new file, which the caller writes; delete the oldest."""
        key = secrets.token_urlsafe(16)
        path = self._folder / key
        with self._lock:
            self._files[key] = Download(path, name)
            while len(self._files) > MAX_FILES:
                _, oldest = self._files.popitem(last=False)
                oldest.path.unlink(missing_ok=True)
        return key, path

    def get(self, key: str) -> Download | None:
        """Return the file with this key, or None if it is unknown or deleted."""
        download = self._files.get(key)
        return download if download and download.path.exists() else None

    def delete(self, key: str) -> None:
        """Delete the file with this key, if it exists."""
        with self._lock:
            self._files.pop(key, None)
        (self._folder / key).unlink(missing_ok=True)
