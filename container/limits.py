"""The processors and the memory that the container may use.

Docker limits them with cgroups, but os.cpu_count and sysconf report those of the host.
Source: the kernel's documentation of cgroups, versions 1 and 2.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
# Version 1 represents "no limit" as a number of about 2**63.
UNLIMITED_BYTES = 1 << 60


@dataclass(frozen=True, slots=True)
class Limits:
    """Available processors and memory, and what limits them."""

    processors: float
    memory_bytes: int
    source: str


def read_limits(cgroups: Path = CGROUPS, own_cgroups: Path = OWN_CGROUPS) -> Limits:
    """Return the strictest limits of the machine, this process's cgroups and their ancestors."""
    processors: float = _count_processors()
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    sources: list[str] = []
    for folder in list(_find_folders(cgroups, own_cgroups)):
        cpu_quota, memory_limit = _read_cpu_quota(folder), _read_memory_limit(folder)
        if cpu_quota and cpu_quota < processors:
            processors = cpu_quota
            sources.append("CPU quota")
        if memory_limit and memory_limit < memory_bytes:
            memory_bytes = memory_limit
            sources.append("memory limit")
    source = " and ".join(dict.fromkeys(sources)) or "no CPU quota or memory limit"
    return Limits(processors, memory_bytes, source)


def _count_processors() -> int:
    """Return how many processors this process may use; only Linux reports CPU affinity."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _find_folders(cgroups: Path, own_cgroups: Path) -> Iterator[Path]:
    """Yield the folders that may contain limits of this process, including those of its ancestors.

    A container may see its own cgroup as the root, which then contains its limits.
    """
    lines = own_cgroups.read_text().splitlines() if own_cgroups.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        version_mount = cgroups / controllers if controllers else cgroups
        for mount in (version_mount, cgroups / "unified"):
            folder = mount / path.lstrip("/")
            for ancestor in (folder, *folder.parents):
                if ancestor.is_relative_to(mount) and ancestor.is_dir():
                    yield ancestor
    for folder in (cgroups, cgroups / "cpu", cgroups / "cpu,cpuacct", cgroups / "memory"):
        if folder.is_dir():
            yield folder


def _read_cpu_quota(folder: Path) -> float | None:
    """Return how many processors a cgroup may use, or None if it has no quota."""
    if text := _read(folder / "cpu.max"):
        quota, period = text.split()
    else:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _read_memory_limit(folder: Path) -> int | None:
    """Return how many bytes of memory a cgroup may use, or None if it has no limit."""
    text = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
    return int(text) if text.isdecimal() and int(text) < UNLIMITED_BYTES else None


def _read(path: Path) -> str:
    """Return a file's text without surrounding whitespace, or "" if it cannot be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
