"""The report of a load test as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capacity.estimate import MIN_INSTANCES, EstimateInputs, estimate
from capacity.load import StepResult
from capacity.objective import Objective, Violation
from capacity.search import GENERATOR_ATTEMPTS, SearchResult

HEADER = (
    f"{'offered/s':>9} {'throughput/s':>12} {'p50 ms':>8} {'p99 ms':>8} {'errors':>7} "
    f"{'generator CPU':>13}"
)


def format_step(step: StepResult) -> str:
    """Return a step as a line of the table under HEADER."""
    return (
        f"{step.offered_rps:9,.1f} {step.throughput_rps:12,.1f} {step.p50_ms:8,.1f} "
        f"{step.p99_ms:8,.1f} {step.error_rate:7.1%} {step.generator_cpu:13.2f}"
    )


@dataclass(frozen=True, slots=True)
class Generator:
    """The load generator's own limit, and the fraction of it that the test may offer."""

    limit_rps: float
    share: float

    @property
    def max_offered_rps(self) -> float:
        """The highest rate that the test offers."""
        return self.limit_rps * self.share


@dataclass(frozen=True, slots=True)
class Report:
    """The objective of a load test, its inputs, and the measured steps."""

    objective: Objective
    generator: Generator
    inputs: EstimateInputs
    search: SearchResult

    @property
    def is_lower_bound(self) -> bool:
        """Whether the load generator, not the server, limited the throughput."""
        if self.search.highest_passing is None:
            return False
        failing = self.search.lowest_failing
        return failing is None or self._was_starved(failing)

    def lines(self, plot: Path | None) -> Iterator[str]:
        """Yield the lines of the report."""
        yield f"Objective: {self.objective}"
        passing = self.search.highest_passing
        if passing is None:
            yield from self._no_capacity_lines()
        else:
            yield from self._capacity_lines(passing)
            yield from self._estimate_lines(passing)
        if plot:
            yield f"Plot: {plot}"
        yield (
            "This machine is not an ml.* instance: "
            "repeat the test on the endpoint before you rely on these numbers"
        )

    def _was_starved(self, failing: StepResult) -> bool:
        return self.objective.find_violation(failing) is Violation.GENERATOR

    def _no_capacity_lines(self) -> Iterator[str]:
        if any(self.objective.find_violation(step) is None for step in self.search.steps):
            yield (
                "No rate met the objective twice: "
                "other processes may interfere, or --seconds is too short"
            )
        else:
            yield (
                "Even the lowest rate violated the objective: "
                "reduce --start-rps, or relax the objective"
            )
        if self.search.lowest_failing:
            yield self._saturation_line(self.search.lowest_failing)

    def _capacity_lines(self, passing: StepResult) -> Iterator[str]:
        processors, failing = self.inputs.processors, self.search.lowest_failing
        yield (
            f"Maximum throughput: {passing.throughput_rps:,.1f} requests/s, confirmed "
            f"(p99 {passing.p99_ms:,.1f} ms, mean {passing.mean_ms:,.1f} ms); "
            f"{passing.throughput_rps / processors:,.1f} requests/s per processor "
            f"({processors:g} processors)"
        )
        if failing:
            yield self._saturation_line(failing)
        else:
            yield "Saturation: not reached, even at the highest rate offered"
        yield self._generator_line(passing, failing)
        yield (
            f"The load generator used {passing.generator_cpu:.2f} "
            f"of the {processors:g} processors; a server that has them all may sustain more"
        )

    def _saturation_line(self, failing: StepResult) -> str:
        violation = self.objective.describe_violation(failing)
        return (
            f"Saturation: at an offered rate of {failing.offered_rps:,.1f} requests/s, {violation}"
        )

    def _generator_line(self, passing: StepResult, failing: StepResult | None) -> str:
        limit_rps = self.generator.limit_rps
        if failing is None:
            return (
                "LOWER BOUND: the load generator, not the server, was the limit. On its own it "
                f"reaches {limit_rps:,.0f} requests/s, and the test offers at most "
                f"{self.generator.share:g} of that (--generator-share), "
                f"{self.generator.max_offered_rps:,.0f} requests/s"
            )
        if self._was_starved(failing):
            return (
                "LOWER BOUND: other processes on this machine delayed the load generator in all "
                f"{GENERATOR_ATTEMPTS} attempts at that rate; stop them and repeat the test"
            )
        ratio = limit_rps / passing.throughput_rps
        return (
            f"Load generator limit: {limit_rps:,.0f} requests/s, "
            f"{ratio:,.1f} times the maximum throughput"
        )

    def _estimate_lines(self, passing: StepResult) -> Iterator[str]:
        inputs, numbers = self.inputs, estimate(passing, self.inputs)
        max_rps = f"MAX_RPS {numbers.instance_rps:,.1f}"
        safety = f"safety factor {inputs.safety_factor:g}"
        yield (
            f"Estimate for {inputs.instance_type} with {inputs.vcpus} vCPUs, "
            "if each vCPU performs like one processor here:"
        )
        yield (
            f"  MAX_RPS = {numbers.rps_per_vcpu:,.1f} requests/s per vCPU x {inputs.vcpus} vCPUs "
            f"= {numbers.instance_rps:,.1f} requests/s"
        )
        yield (
            f"  InvocationsPerInstance: TargetValue = {max_rps} x {safety} x 60 "
            f"= {numbers.invocations_per_instance:.0f} per minute"
        )
        yield (
            f"  ConcurrentRequestsPerModel: TargetValue = {max_rps} "
            f"x mean latency {passing.mean_ms / 1000:.4f} s x {safety} "
            f"= {numbers.concurrent_requests_per_model:.3g} (Little's law)"
        )
        if numbers.concurrent_requests_per_model < 1:
            yield (
                "    (a target below 1 scales out at a single request: "
                "use InvocationsPerInstance instead)"
            )
        if numbers.instances is not None:
            yield (
                f"  Instances for the peak: {inputs.peak_rps:,.1f} requests/s "
                f"/ ({max_rps} x {safety}), "
                f"rounded up, at least {MIN_INSTANCES} = {numbers.instances}"
            )
