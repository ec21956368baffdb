"""Directories of the benchmark."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "bench" / "programs"
RESULTS = ROOT / "bench" / "results"
# Not committed: virtual environments, models, payloads and server logs.
WORK = ROOT / "bench" / ".work"
