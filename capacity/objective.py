"""The latency and error objective, and which part of it a load step violated."""

from dataclasses import dataclass
from enum import StrEnum

from capacity.load import StepResult

# Of the objective's latency. If the generator adds more delay than this, the step measures the
# generator, not the container.
MAX_SEND_DELAY_RATIO = 0.5

# A growing queue eventually violates any latency objective, and hiccups are shorter than this.
MAX_LATENCY_GROWTH_MS = 250.0


class Violation(StrEnum):
    """Why a step failed, in the order in which the causes are checked."""

    ERRORS = "errors"
    GENERATOR = "generator"  # the generator sent late
    IN_FLIGHT = "in_flight"  # too many requests were waiting for a response
    LATENCY = "latency"
    QUEUE = "queue"  # latency kept growing, but the step was too short for p99 to show it


@dataclass(frozen=True, slots=True)
class Objective:
    """The maximum p99 latency, and the maximum fraction of requests without a 200 response."""

    p99_ms: float
    max_error_rate: float

    def __str__(self) -> str:
        max_error_rate = f"{self.max_error_rate * 100:g}%"
        return f"p99 latency at most {self.p99_ms:g} ms, error rate at most {max_error_rate}"

    def find_violation(self, step: StepResult) -> Violation | None:
        """Return the first violation of the objective in a step, or None."""
        if step.error_rate > self.max_error_rate:
            return Violation.ERRORS
        if step.send_delay_p99_ms > MAX_SEND_DELAY_RATIO * self.p99_ms:
            return Violation.GENERATOR
        if step.stopped_at_in_flight:
            return Violation.IN_FLIGHT
        if step.p99_ms > self.p99_ms:
            return Violation.LATENCY
        return Violation.QUEUE if step.latency_growth_ms > MAX_LATENCY_GROWTH_MS else None

    def describe_violation(self, step: StepResult) -> str:
        """Return a clause that names the violation and its number."""
        match self.find_violation(step):
            case Violation.ERRORS:
                counts = (f"{count:,} x {cause}" for cause, count in step.failures.items())
                return f"the error rate was {step.error_rate:.1%} ({', '.join(counts)})"
            case Violation.GENERATOR:
                delay = f"{step.send_delay_p99_ms:,.1f} ms late (p99)"
                return f"the load generator was short of CPU time and sent requests {delay}"
            case Violation.IN_FLIGHT:
                return f"{step.stopped_at_in_flight or 0:,} requests were in flight at once"
            case Violation.LATENCY:
                return f"p99 latency was {step.p99_ms:,.1f} ms"
            case Violation.QUEUE:
                growth = f"latency grew by {step.latency_growth_ms:,.0f} ms within the step"
                return f"{growth}: the server did not keep up"
            case None:
                return "the objective was met"
