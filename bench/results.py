"""The results of a run: all raw numbers, and their medians."""

import json
import math
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from statistics import median

from bench.extras import Extra
from bench.floors import Floor
from bench.grid import Cell
from bench.measure import Measurement
from bench.peers import SERVERS
from bench.places import ROOT


@dataclass(frozen=True, slots=True)
class Start:
    """What one start of a server took until its first prediction, and its memory once it is warm and after all of its loads."""

    server: str
    model: str
    round: int
    start_seconds: float
    pss_mb: float
    loaded_pss_mb: float


@dataclass(frozen=True, slots=True)
class ParallelMap:
    """Numbers of several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "ParallelMap":
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Summary:
    """One server in one cell, over all rounds."""

    requests_a_second: ParallelMap
    p50_ms: ParallelMap
    p99_ms: ParallelMap
    cpu_ms: ParallelMap
    busy_processors: ParallelMap
    errors: int
    rounds: int


@dataclass
class Results:
    """All that a run found."""

    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    floors: list[Floor] = field(default_factory=list)
    extras: list[Extra] = field(default_factory=list)

    @cached_property
    def summaries(self) -> dict[tuple[str, Cell], Summary]:
        """The medians of each server and cell; none where one answer was wrong."""
        found: dict[tuple[str, Cell], list[Measurement]] = {}
        for each in self.measurements:
            found.setdefault((each.server, each.cell), []).append(each)
        return {
            key: _summary(measured)
            for key, measured in sorted(found.items())
            if not any(each.fault for each in measured)
        }

    @cached_property
    def faults(self) -> dict[tuple[str, Cell], str]:
        """Why a server's numbers in a cell do not count."""
        return {(each.server, each.cell): each.fault for each in self.measurements if each.fault}

    def summary(self, server: str, cell: Cell) -> Summary | None:
        """Return a server's summary in a cell, in the media type that the server takes if it takes only one."""
        media_types = (
            (cell.media_type,) if len(SERVERS[server].bodies) > 1 else SERVERS[server].bodies
        )
        return next(
            filter(
                None,
                (
                    self.summaries.get((server, replace(cell, media_type=each)))
                    for each in media_types
                ),
            ),
            None,
        )

    def number(self, name: str, server: str, cell: Cell) -> float:
        """Return the median of one of a summary's numbers; not a number without a summary."""
        summary = self.summary(server, cell)
        return getattr(summary, name).median if summary else math.nan

    def floor_number(self, name: str, cell: Cell) -> float:
        """Return the median of one of the numbers of a payload's work without a server; not a number without any."""
        payload = replace(cell, connections=0)
        return _median([getattr(each, name) for each in self.floors if each.cell == payload])

    def start_number(self, name: str, server: str, model: str) -> float:
        """Return the median of one of the numbers of a server's starts; not a number without any."""
        return _median(
            [
                getattr(each, name)
                for each in self.starts
                if (each.server, each.model) == (server, model)
            ]
        )

    def extra_number(self, server: str, what: str, name: str) -> float:
        """Return one of the numbers of an extra measurement; not a number if it failed or was not made."""
        return next(
            (
                each.values.get(name, math.nan)
                for each in self.extras
                if (each.server, each.name) == (server, what)
            ),
            math.nan,
        )

    def write(self, folder: Path) -> None:
        """Write all numbers as JSON into a folder."""
        raw = {"written_by": "make bench", **asdict(self)}
        (folder / "results.json").write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


def read_results(folder: Path) -> Results:
    """Return the results that an earlier run wrote into a folder."""
    raw = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return Results(
        raw["machine"],
        raw["versions"],
        raw["missing"],
        [Measurement(**{**each, "cell": Cell(**each["cell"])}) for each in raw["measurements"]],
        [Start(**each) for each in raw["starts"]],
        [Floor(**{**each, "cell": Cell(**each["cell"])}) for each in raw["floors"]],
        [Extra(**each) for each in raw["extras"]],
    )


def machine() -> dict[str, str]:
    """Return what this machine is, and what is measured on it."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = next(
        (line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0"
    )
    return {
        "processor": cpu,
        "processors": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(memory) / 1e6:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "wrk": _output("wrk", "--version").split(" Copyright")[0],
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _output("git", "describe", "--always", "--dirty"),
    }


def _median(values: list[float]) -> float:
    return median(values) if values else math.nan


def _summary(measured: list[Measurement]) -> Summary:
    names = ("requests_a_second", "p50_ms", "p99_ms", "cpu_ms", "busy_processors")
    spreads = {name: ParallelMap.of([getattr(each, name) for each in measured]) for name in names}
    return Summary(**spreads, errors=sum(each.errors for each in measured), rounds=len(measured))


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return next(iter((done.stdout or done.stderr).splitlines()), "")
