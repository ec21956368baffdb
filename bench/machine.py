"""A description of the machine and the commit of a run."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bench.paths import ROOT


def describe_machine() -> dict[str, str]:
    """Return the processor, memory, kernel, wrk version, date and commit."""
    model_name = _find_line("/proc/cpuinfo", "model name").partition(":")[2].strip()
    memory_kb = int(_find_line("/proc/meminfo", "MemTotal").split()[1])
    return {
        "processor": model_name or platform.machine(),
        "processors": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_kb / 1e6:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "wrk": _first_output_line("wrk", "--version").split(" Copyright")[0],
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _first_output_line("git", "describe", "--always", "--dirty"),
    }


def _find_line(path: str, prefix: str) -> str:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith(prefix)), "")


def _first_output_line(*command: str) -> str:
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return next(iter((process.stdout or process.stderr).splitlines()), "")
