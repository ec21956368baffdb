"""Watch: ping every server below this process, and read its memory and what it prints."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import requests

from bench.process_tree import list_tree, pss_bytes

PERIOD_SECONDS = 0.5
TIMEOUT_SECONDS = 30.0
PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT="
TRACEBACK, DEATH = b"Traceback (most recent call last)", b" was sent SIG"


class Watch(threading.Thread):
    """The figures of all servers that this process and its children start, until the block ends.

    Attributes:
        expects_deaths: whether the current attack kills workers itself.

    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.pings = self.deaths = self.tracebacks = self.peak_bytes = 0
        self.slowest_ping = 0.0
        self.expects_deaths = False
        self._stopped = threading.Event()
        self._ready: set[int] = set()
        self._read: dict[int, int] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Look at all servers twice a second."""
        while not self._stopped.wait(PERIOD_SECONDS):
            for pid, port in self._find_servers().items():
                with suppress(OSError):  # it has ended
                    self._ping(pid, port)
                    self.peak_bytes = max(self.peak_bytes, pss_bytes(pid))
                    self._read_output(pid)

    def _find_servers(self) -> dict[int, int]:
        """Return the port of each server by its process ID; its workers have the same command."""
        servers = {}
        for pid in list_tree(os.getpid()):
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if command[-2:-1] == [b"serve"] and not _is_worker(pid):
                    servers[pid] = _read_port(pid)
        return servers

    def _ping(self, pid: int, port: int) -> None:
        """Measure a ping of a server that has answered one before."""
        started = time.monotonic()
        try:
            requests.get(f"http://127.0.0.1:{port}/ping", timeout=TIMEOUT_SECONDS)
        except requests.RequestException:
            if pid not in self._ready or not _is_running(pid):
                return
        if pid in self._ready and _is_running(pid):
            self.pings += 1
            self.slowest_ping = max(self.slowest_ping, time.monotonic() - started)
        self._ready.add(pid)

    def _read_output(self, pid: int) -> None:
        """Count what a server has printed since the last look."""
        with Path(f"/proc/{pid}/fd/1").open("rb") as file:
            file.seek(self._read.get(pid, 0))
            printed = file.read()
            self._read[pid] = file.tell()
        self.tracebacks += printed.count(TRACEBACK)
        if not self.expects_deaths:
            self.deaths += printed.count(DEATH)


def _is_worker(pid: int) -> bool:
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return b"entrypoint.py\0serve" in Path(f"/proc/{parent}/cmdline").read_bytes()


def _is_running(pid: int) -> bool:
    """Return whether a process exists, and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _read_port(pid: int) -> int:
    environment = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return next(
        int(line.removeprefix(PORT_VARIABLE))
        for line in environment
        if line.startswith(PORT_VARIABLE)
    )
