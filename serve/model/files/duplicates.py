"""Recognize several names of the same file, such as links."""

from collections.abc import Sequence

from serve.model.files.listing import Entry


def drop_duplicates(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries without further names of the same file, such as links."""
    if len(entries) < 2:  # noqa: PLR2004
        return list(entries)
    files: dict[object, Entry] = {}
    for entry in entries:
        files.setdefault(identify(entry), entry)
    return list(files.values())


def identify(entry: Entry) -> object:
    """Return the same value for all names of the same file."""
    try:
        status = entry.path.stat()
    except OSError:  # a dangling link, for example
        return entry.name
    return status.st_dev, status.st_ino
