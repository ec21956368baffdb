"""A server's processes: what the kernel tells of their time and memory.

Source: proc_pid_stat(5), proc_pid_smaps(5) and proc_pid_status(5).
"""

import os
import time
from pathlib import Path

PROC = Path("/proc")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SETTLING_SECONDS = 0.2
MOST_SETTLING_SECONDS = 20.0


def tree(root: int) -> list[int]:
    """Return the ids of a process, of its descendants, and of all in its session, where those went that lost their parents."""
    parents, sessions = {}, {}
    for pid in (int(path.name) for path in PROC.iterdir() if path.name.isdecimal()):
        if fields := _stat(pid):
            parents[pid], sessions[pid] = int(fields[1]), int(fields[3])
    found = {root} | {pid for pid, session in sessions.items() if session == root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found & parents.keys())


def cpu_seconds(root: int) -> float:
    """Return the time that a tree has used, user and system, with that of its children that have ended."""
    ticks = 0
    for pid in tree(root):
        ticks += sum(map(int, _stat(pid)[11:15]))
    return ticks / TICKS_A_SECOND


def pss_bytes(root: int) -> int:
    """Return the memory of a tree, what is shared counted once."""
    return sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in tree(root)) * 1024


def rss_bytes(root: int) -> dict[int, int]:
    """Return the resident memory of each process of a tree now."""
    return {pid: _kilobytes(pid, "status", "VmRSS:") * 1024 for pid in tree(root)}


def forget_peaks(root: int) -> None:
    """Let the peaks of memory begin anew."""
    for pid in tree(root):
        (PROC / str(pid) / "clear_refs").write_text("5", encoding="ascii")


def peak_bytes(root: int) -> dict[int, int]:
    """Return the largest resident memory of each process of a tree since its peaks were forgotten."""
    return {pid: _kilobytes(pid, "status", "VmHWM:") * 1024 for pid in tree(root)}


def settle(root: int) -> None:
    """Wait, not for ever, until a tree works no longer on what its callers have given up."""
    deadline = time.monotonic() + MOST_SETTLING_SECONDS
    used = cpu_seconds(root)
    while time.monotonic() < deadline:
        time.sleep(SETTLING_SECONDS)
        before, used = used, cpu_seconds(root)
        if used - before < 1.5 / TICKS_A_SECOND:
            return


def _stat(pid: int) -> list[str]:
    """Return the fields of a process after its name, which may hold anything; none if the process is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _kilobytes(pid: int, file: str, name: str) -> int:
    try:
        lines = (PROC / str(pid) / file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(name))
