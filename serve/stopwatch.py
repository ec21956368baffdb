"""Stopwatch: the time that each stage of an invocation took."""

from itertools import pairwise
from time import perf_counter


class Stopwatch:
    """Record when each stage ended; durations are computed only if they are read."""

    def __init__(self) -> None:
        self._marks: list[tuple[str, float]] = [("", perf_counter())]

    def end(self, stage: str) -> None:
        """Attribute the time since the previous call to this stage."""
        self._marks.append((stage, perf_counter()))

    def milliseconds(self) -> dict[str, float]:
        """Return the total time of each stage in milliseconds."""
        seconds: dict[str, float] = {}
        for (_, start), (stage, end) in pairwise(self._marks):
            seconds[stage] = seconds.get(stage, 0.0) + end - start
        return {stage: round(duration * 1000, 3) for stage, duration in seconds.items()}
