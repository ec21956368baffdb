"""Where the benchmark keeps what it makes."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "bench" / "programs"
RESULTS = ROOT / "bench" / "results"
# Not committed: environments, models, payloads and what the servers wrote.
WORK = ROOT / "bench" / ".work"
