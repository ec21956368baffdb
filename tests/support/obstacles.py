"""Pipes, devices and other obstacles in a model directory, which cannot be read like files."""

import os
import socket
from collections.abc import Callable
from pathlib import Path


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def bind_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        # A path of a socket is at most 108 bytes long.
        folder = os.open(path.parent, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


OBSTACLES: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (os.mkfifo, "is a named pipe"),
    "socket": (bind_socket, "is a socket"),
    "dangling link": (link("nowhere"), "is a link to a file that does not exist"),
    "link to itself": (lambda path: path.symlink_to(path.name), "leads back to itself"),
    "link to zeros": (link("/dev/zero"), "is a device"),
    "link to a terminal": (link("/dev/tty"), "is a device"),
    "link to a folder": (link("/proc"), "is a link to a directory, which is not followed"),
    "link to memory": (link("/proc/self/mem"), "cannot be read: Input/output error"),
    "link into its own folder": (link("."), "is a link to a directory"),
}
