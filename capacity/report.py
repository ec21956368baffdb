"""The report of a load test, in lines for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capacity.estimate import LEAST_INSTANCES, Scale, estimate
from capacity.load import Step
from capacity.objective import Objective
from capacity.search import GENERATOR_TRIES, Found

HEADER = f"{'asked/s':>9} {'replies/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'errors':>7} {'generator CPU':>13}"


@dataclass(frozen=True, slots=True)
class Generator:
    """The load generator's ceiling, and which share of it is asked for at most."""

    ceiling_rps: float
    share: float

    @property
    def most_rps(self) -> float:
        """The highest rate that is asked for."""
        return self.ceiling_rps * self.share


@dataclass(frozen=True, slots=True)
class Report:
    """A load test, what it asked for, and what it found."""

    objective: Objective
    generator: Generator
    scale: Scale
    found: Found

    @property
    def generator_was_the_limit(self) -> bool:
        """Whether no rate broke up to the highest asked for, or one did for want of a processor for the generator."""
        broke = self.found.broke
        return self.found.held is not None and (
            broke is None or self.objective.broken_by(broke) == "generator"
        )

    def lines(self, plot: Path | None) -> Iterator[str]:
        """Yield the report's lines."""
        yield f"Objective: {self.objective}."
        held = self.found.held
        if held is None:
            yield from self._nothing_held()
        else:
            yield from self._held(held)
            yield from self._instance(held)
        if plot:
            yield f"Plot: {plot}"
        yield "This machine is not an ml.* instance: measure again on the endpoint before you rely on these numbers."

    def _nothing_held(self) -> Iterator[str]:
        broke = self.found.broke
        if any(self.objective.broken_by(step) is None for step in self.found.steps):
            yield "No rate held twice: other work on this machine may disturb, or --seconds is too short."
        else:
            yield "Already the first rate broke it: lower --start-rps, or ask for less."
        if broke:
            yield self._broke(broke)

    def _held(self, held: Step) -> Iterator[str]:
        processors = self.scale.processors
        yield (
            f"Held, and held again: {held.rps:,.1f} invocations/s, with p99 {held.p99_ms:,.1f} ms and mean {held.mean_ms:,.1f} ms; "
            f"{held.rps / processors:,.1f}/s per vCPU of this machine ({processors:g} processors)."
        )
        yield (
            self._broke(self.found.broke)
            if self.found.broke
            else "Broke: nothing, up to the highest rate that was asked for."
        )
        ceiling, most = self.generator.ceiling_rps, self.generator.most_rps
        if self.found.broke and self.generator_was_the_limit:
            yield (
                f"THIS IS NO CAPACITY: other work on this machine kept the load generator from sending, {GENERATOR_TRIES} times at "
                f"that rate. {held.rps:,.1f}/s is a lower bound: end the other work, and measure again."
            )
        elif self.generator_was_the_limit:
            yield (
                f"The load generator, not the server, was the limit: {held.rps:,.1f}/s is a lower bound. Its ceiling here is "
                f"{ceiling:,.0f}/s, and only {self.generator.share:g} of it is asked for, {most:,.0f}/s (--generator-share)."
            )
        else:
            yield f"The load generator's own ceiling here is {ceiling:,.0f}/s, {ceiling / held.rps:,.1f} times the rate that held."
        yield (
            f"The generator took {held.generator_cpu:.2f} CPU seconds a second of the {processors:g} processors here, which the "
            "server did not have: alone it may bear more, so that the rates are lower bounds in this, too."
        )

    def _broke(self, step: Step) -> str:
        return f"Broke: at {step.asked_rps:,.1f}/s, {self.objective.told(step)}."

    def _instance(self, held: Step) -> Iterator[str]:
        scale, numbers = self.scale, estimate(held, self.scale)
        rps, safety = f"{numbers.instance_rps:,.1f}", f"safety factor {scale.safety_factor:g}"
        invocations, concurrent = (
            f"{numbers.invocations_per_instance:.0f}",
            f"{numbers.concurrent_requests_per_model:.3g}",
        )
        yield f"For {scale.instance_type} with {scale.vcpus} vCPU, if each does what one here does:"
        yield f"  MAX_RPS = {numbers.rps_per_vcpu:,.1f}/s per vCPU x {scale.vcpus} vCPU = {rps}/s"
        yield f"  InvocationsPerInstance: TargetValue = MAX_RPS {rps} x {safety} x 60 = {invocations} a minute"
        yield (
            f"  ConcurrentRequestsPerModel: TargetValue = MAX_RPS {rps} x mean latency {held.mean_ms / 1000:.4f} s x {safety} = "
            f"{concurrent} (Little's law)"
        )
        if numbers.concurrent_requests_per_model < 1:
            yield "    (below 1 it would scale out at a single invocation: follow InvocationsPerInstance)"
        if numbers.instances is not None:
            yield (
                f"  Instances for the peak: {scale.peak_rps:,.1f}/s / (MAX_RPS {rps} x {safety}), rounded up and at least "
                f"{LEAST_INSTANCES} = {numbers.instances}"
            )


def row(step: Step) -> str:
    """Return a step as a line below HEADER."""
    return (
        f"{step.asked_rps:9,.1f} {step.rps:9,.1f} {step.p50_ms:8,.1f} {step.p99_ms:8,.1f} {step.error_share:7.1%} "
        f"{step.generator_cpu:13.2f}"
    )
