"""Limits: how many processors and how much memory the container may use.

Source: the kernel's documentation of cgroups, versions 1 and 2; their files say what the host's counts do not.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
# Version 1 says "no limit" by a number of about 2**63.
UNLIMITED_BYTES = 1 << 60


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be used, and where that was read."""

    processors: float
    memory_bytes: int
    source: str


def read_limits(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> Limits:
    """Return the strictest limits of this process's cgroups, of their parents, and of the machine."""
    folders = list(_folders(cgroups, own))
    processors: float = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    sources: list[str] = []
    for folder in folders:
        quota, limit = _quota(folder), _memory(folder)
        if quota and quota < processors:
            processors, sources = quota, [*sources, "CPU quota"]
        if limit and limit < memory:
            memory, sources = limit, [*sources, "memory limit"]
    return Limits(
        processors,
        memory,
        " and ".join(dict.fromkeys(sources)) or "the machine, without a quota or limit",
    )


def _folders(cgroups: Path, own: Path) -> Iterator[Path]:
    """Yield the folders that may hold limits of this process, parents too; what a container cannot see is not there."""
    lines = own.read_text().splitlines() if own.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for mount in (
            (cgroups / controllers, cgroups / "unified")
            if controllers
            else (cgroups, cgroups / "unified")
        ):
            folder = mount / path.lstrip("/")
            yield from (
                each
                for each in (folder, *folder.parents)
                if each.is_relative_to(mount) and each.is_dir()
            )
    yield from (
        folder
        for folder in (cgroups, cgroups / "cpu", cgroups / "cpu,cpuacct", cgroups / "memory")
        if folder.is_dir()
    )


def _quota(folder: Path) -> float | None:
    """Return how many processors a cgroup may use, None without a quota."""
    if text := _read(folder / "cpu.max"):
        quota, period = text.split()
    else:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _memory(folder: Path) -> int | None:
    """Return how many bytes of memory a cgroup may use, None without a limit."""
    text = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
    return int(text) if text.isdecimal() and int(text) < UNLIMITED_BYTES else None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
