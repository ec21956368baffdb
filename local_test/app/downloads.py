"""The files with predictions, kept for their download until a few newer ones are there."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

MOST_KEPT = 8


@dataclass(frozen=True, slots=True)
class Download:
    """A file, and the name that it is offered under."""

    path: Path
    name: str


class Downloads:
    """The last few files in a folder, each behind a key that nobody guesses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[str, Download] = OrderedDict()
        self._lock = Lock()

    def new(self, name: str) -> tuple[str, Path]:
        """Return the key and path of a file yet to be written."""
        key = secrets.token_urlsafe(16)
        path = self._folder / key
        with self._lock:
            self._kept[key] = Download(path, name)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)[1].path.unlink(missing_ok=True)
        return key, path

    def get(self, key: str) -> Download | None:
        """Return a file that is still kept."""
        download = self._kept.get(key)
        return download if download and download.path.exists() else None

    def drop(self, key: str) -> None:
        """Forget a file."""
        with self._lock:
            self._kept.pop(key, None)
        (self._folder / key).unlink(missing_ok=True)
