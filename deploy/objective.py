"""What is asked of the container, and what of it a step broke."""

from dataclasses import dataclass

from deploy.load import Step

LATE_SHARE = 0.5  # of the latency that is allowed: when the generator itself adds more, it is not the container that is measured


@dataclass(frozen=True, slots=True)
class Objective:
    """The highest p99, and the highest share of invocations without a reply of 200."""

    p99_ms: float
    error_share: float

    def __str__(self) -> str:
        return f"p99 within {self.p99_ms:g} ms, and at most {self.error_share * 100:g} % errors"

    def broken_by(self, step: Step) -> str | None:
        """Return errors, generator (it sent too late), waiting (too many at once) or latency; None if all was kept."""
        if step.error_share > self.error_share:
            return "errors"
        if step.late_p99_ms > LATE_SHARE * self.p99_ms:
            return "generator"
        if step.waiting:
            return "waiting"
        return "latency" if step.p99_ms > self.p99_ms else None

    def told(self, step: Step) -> str:
        """Tell what a step broke, with the number."""
        return {
            "errors": f"{step.error_share:.1%} errors ({', '.join(f'{n:,} x {what}' for what, n in step.failures.items())})",
            "generator": f"the load generator got no processor in time: it sent {step.late_p99_ms:,.1f} ms late (p99)",
            "waiting": f"{step.waiting or 0:,} invocations waited at once",
            "latency": f"p99 was {step.p99_ms:,.1f} ms",
            None: "nothing",
        }[self.broken_by(step)]
