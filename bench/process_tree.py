"""CPU time and memory of a server's process tree, as the kernel reports them.

Source: proc_pid_stat(5), proc_pid_smaps(5) and proc_pid_status(5).
"""

import os
import time
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
IDLE_CHECK_SECONDS = 0.2
MAX_IDLE_WAIT_SECONDS = 20.0


def list_tree(root: int) -> list[int]:
    """Return the ids of a process, its descendants, and its session, which includes orphans."""
    parents, sessions = {}, {}
    for pid in (int(path.name) for path in PROC.iterdir() if path.name.isdecimal()):
        if fields := _stat_fields(pid):
            parents[pid], sessions[pid] = int(fields[1]), int(fields[3])
    found = {root} | {pid for pid, session in sessions.items() if session == root}
    while children := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= children
    return sorted(found & parents.keys())


def cpu_seconds(root: int) -> float:
    """Return the user and system time of a tree, including children that have exited."""
    ticks = 0
    for pid in list_tree(root):
        ticks += sum(map(int, _stat_fields(pid)[11:15]))
    return ticks / TICKS_PER_SECOND


def pss_bytes(root: int) -> int:
    """Return the proportional set size of a tree, which counts shared memory once."""
    return sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in list_tree(root)) * 1024


def rss_bytes(root: int) -> dict[int, int]:
    """Return the current resident set size of each process in a tree."""
    return {pid: _kilobytes(pid, "status", "VmRSS:") * 1024 for pid in list_tree(root)}


def reset_peaks(root: int) -> None:
    """Reset the peak resident set size of each process in a tree."""
    for pid in list_tree(root):
        (PROC / str(pid) / "clear_refs").write_text("5", encoding="ascii")


def peak_bytes(root: int) -> dict[int, int]:
    """Return the peak resident set size of each process in a tree since reset_peaks()."""
    return {pid: _kilobytes(pid, "status", "VmHWM:") * 1024 for pid in list_tree(root)}


def wait_until_idle(root: int) -> None:
    """Wait until a tree stops working on abandoned requests, at most MAX_IDLE_WAIT_SECONDS."""
    deadline = time.monotonic() + MAX_IDLE_WAIT_SECONDS
    current = cpu_seconds(root)
    while time.monotonic() < deadline:
        time.sleep(IDLE_CHECK_SECONDS)
        previous, current = current, cpu_seconds(root)
        if current - previous < 1.5 / TICKS_PER_SECOND:
            return


def _stat_fields(pid: int) -> list[str]:
    """Return the fields after the process name, or an empty list if the process has exited."""
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
