"""Stages: how long each verb of an inference took."""

from time import perf_counter


class Stages:
    """A stopwatch that adds up the seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def end(self, stage: str) -> None:
        """Count the time since the end of the last stage to this one."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def milliseconds(self) -> dict[str, float]:
        """Return the time of each stage in milliseconds."""
        return {stage: round(seconds * 1000, 3) for stage, seconds in self.seconds.items()}
