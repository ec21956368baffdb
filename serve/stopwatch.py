"""Stopwatch: how long each verb of an inference took."""

from itertools import pairwise
from time import perf_counter


class Stopwatch:
    """A stopwatch: ``end`` notes when a stage was over, and the rest is reckoned only for who asks."""

    def __init__(self) -> None:
        self._marks: list[tuple[str, float]] = [("", perf_counter())]

    def end(self, stage: str) -> None:
        """Count the time since the end of the last stage to this one."""
        self._marks.append((stage, perf_counter()))

    def milliseconds(self) -> dict[str, float]:
        """Return the time of each stage in milliseconds."""
        seconds: dict[str, float] = {}
        for (_, before), (stage, after) in pairwise(self._marks):
            seconds[stage] = seconds.get(stage, 0.0) + after - before
        return {stage: round(each * 1000, 3) for stage, each in seconds.items()}
