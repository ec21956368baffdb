"""The results of a run: the raw numbers, and their medians."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from bench.in_process import InProcessTiming
from bench.measure import Measurement
from bench.plan import Workload
from bench.scenarios import ScenarioResult
from bench.servers import SERVERS


@dataclass(frozen=True, slots=True)
class ServerStart:
    """The time from a server's start to its first prediction, and its memory before and after load.

    ``pss_mb`` is measured after the warm-up.
    """

    server: str
    model: str
    round: int
    start_seconds: float
    pss_mb: float
    pss_after_load_mb: float


@dataclass(frozen=True, slots=True)
class MedianRange:
    """The median, minimum and maximum over all rounds."""

    median: float
    minimum: float
    maximum: float

    @classmethod
    def from_values(cls, values: list[float]) -> "MedianRange":
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of one server and workload over all rounds."""

    requests_per_second: MedianRange
    p50_ms: MedianRange
    p99_ms: MedianRange
    cpu_ms: MedianRange
    busy_processors: MedianRange
    errors: int
    rounds: int


@dataclass
class Results:
    """All results of a run; ``missing`` has the servers that could not run, with the reason."""

    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    starts: list[ServerStart] = field(default_factory=list)
    in_process: list[InProcessTiming] = field(default_factory=list)
    scenarios: list[ScenarioResult] = field(default_factory=list)

    @cached_property
    def summaries(self) -> dict[tuple[str, Workload], Summary]:
        """The summary by server and workload, without those that are disqualified."""
        measurements: dict[tuple[str, Workload], list[Measurement]] = defaultdict(list)
        for measurement in self.measurements:
            measurements[measurement.server, measurement.workload].append(measurement)
        return {
            key: _summarize(measurements[key])
            for key in sorted(measurements)
            if key not in self.disqualified
        }

    @cached_property
    def disqualified(self) -> dict[tuple[str, Workload], str]:
        """The reason by server and workload, if any of its measurements is invalid."""
        return {
            (measurement.server, measurement.workload): measurement.invalid
            for measurement in self.measurements
            if measurement.invalid
        }

    def summary(self, server: str, workload: Workload) -> Summary | None:
        """Return the summary of a server and workload.

        A server that accepts only one media type is compared with that one.
        """
        accepted = list(SERVERS[server].bodies)
        media_type = accepted[0] if len(accepted) == 1 else workload.media_type
        return self.summaries.get((server, replace(workload, media_type=media_type)))

    def number(self, name: str, server: str, workload: Workload) -> float:
        """Return the median of a number of a summary, or NaN without a summary."""
        summary = self.summary(server, workload)
        return getattr(summary, name).median if summary else math.nan

    def in_process_number(self, name: str, workload: Workload) -> float:
        """Return the median of an in-process timing, or NaN if it was not measured."""
        payload = replace(workload, connections=0)
        timings = (timing for timing in self.in_process if timing.workload == payload)
        return _median_attribute(timings, name)

    def start_number(self, name: str, server: str, model: str) -> float:
        """Return the median of a number of a server's starts, or NaN if it was not measured."""
        starts = (start for start in self.starts if (start.server, start.model) == (server, model))
        return _median_attribute(starts, name)

    def scenario_number(self, server: str, scenario: str, name: str) -> float:
        """Return a number of a scenario, or NaN if the scenario failed or was not run."""
        for result in self.scenarios:
            if (result.server, result.name) == (server, scenario):
                return result.values.get(name, math.nan)
        return math.nan

    def write(self, folder: Path) -> None:
        """Write all numbers to results.json in a folder."""
        content = {"written_by": "make bench", **asdict(self)}
        text = json.dumps(content, indent=1) + "\n"
        (folder / "results.json").write_text(text, encoding="utf-8")


def read_results(folder: Path) -> Results:
    """Return the results of an earlier run from results.json in a folder."""
    content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return Results(
        machine=content["machine"],
        versions=content["versions"],
        missing=content["missing"],
        measurements=[Measurement(**_with_workload(raw)) for raw in content["measurements"]],
        starts=[ServerStart(**raw) for raw in content["starts"]],
        in_process=[InProcessTiming(**_with_workload(raw)) for raw in content["in_process"]],
        scenarios=[ScenarioResult(**raw) for raw in content["scenarios"]],
    )


def _with_workload(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "workload": Workload(**raw["workload"])}


def _median_attribute(values: Iterable[object], name: str) -> float:
    numbers = [getattr(value, name) for value in values]
    return median(numbers) if numbers else math.nan


def _summarize(measurements: list[Measurement]) -> Summary:
    def over_rounds(name: str) -> MedianRange:
        return MedianRange.from_values([getattr(measured, name) for measured in measurements])

    return Summary(
        requests_per_second=over_rounds("requests_per_second"),
        p50_ms=over_rounds("p50_ms"),
        p99_ms=over_rounds("p99_ms"),
        cpu_ms=over_rounds("cpu_ms"),
        busy_processors=over_rounds("busy_processors"),
        errors=sum(measurement.errors for measurement in measurements),
        rounds=len(measurements),
    )
