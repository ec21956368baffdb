"""What is asked of the container, and what of it a step broke."""

from dataclasses import dataclass

from capacity.load import Step

LATE_SHARE = 0.5  # of the latency that is allowed: when the generator itself adds more, it is not the container that is measured

MOST_GROWTH_MS = (
    250.0  # a queue that grows breaks any latency in time, and hiccups are shorter than this
)


@dataclass(frozen=True, slots=True)
class Objective:
    """The highest p99, and the highest share of invocations without a reply of 200."""

    p99_ms: float
    error_share: float

    def __str__(self) -> str:
        return f"p99 within {self.p99_ms:g} ms, and at most {self.error_share * 100:g} % errors"

    def broken_by(self, step: Step) -> str | None:
        """Tell what was broken first, None if nothing was.

        errors; generator: it sent too late; waiting: too many at once; latency; queue: the server did not keep up, but the step
        was too short for p99 to show it.
        """
        if step.error_share > self.error_share:
            return "errors"
        if step.late_p99_ms > LATE_SHARE * self.p99_ms:
            return "generator"
        if step.waiting:
            return "waiting"
        if step.p99_ms > self.p99_ms:
            return "latency"
        return "queue" if step.growth_ms > MOST_GROWTH_MS else None

    def told(self, step: Step) -> str:
        """Tell what a step broke, with the number."""
        return {
            "errors": f"{step.error_share:.1%} errors ({', '.join(f'{n:,} x {what}' for what, n in step.failures.items())})",
            "generator": f"the load generator got no processor in time: it sent {step.late_p99_ms:,.1f} ms late (p99)",
            "waiting": f"{step.waiting or 0:,} invocations waited at once",
            "latency": f"p99 was {step.p99_ms:,.1f} ms",
            "queue": f"latency grew by {step.growth_ms:,.0f} ms within the step: the server did not keep up",
            None: "nothing",
        }[self.broken_by(step)]
