"""Autoscaling targets and instance counts, extrapolated from the throughput measured here."""

import math
from dataclasses import dataclass

from capacity.load import StepResult

MIN_INSTANCES = 2  # one in each of two availability zones


@dataclass(frozen=True, slots=True)
class EstimateInputs:
    """The processors used here, and the instance, safety factor and peak to extrapolate to."""

    processors: float
    instance_type: str
    vcpus: int
    safety_factor: float
    peak_rps: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Throughput and scaling targets of one instance; ``instances`` is None without a peak."""

    rps_per_vcpu: float
    instance_rps: float
    invocations_per_instance: float
    concurrent_requests_per_model: float
    instances: int | None


def estimate(step: StepResult, inputs: EstimateInputs) -> Estimate:
    """Extrapolate a step to an instance, assuming that a vCPU performs like one processor here.

    InvocationsPerInstance is per minute and follows AWS's formula, MAX_RPS x safety factor x 60.
    ConcurrentRequestsPerModel follows Little's law, rate x mean latency, x safety factor.
    """
    rps_per_vcpu = step.throughput_rps / inputs.processors
    instance_rps = rps_per_vcpu * inputs.vcpus
    target_rps = instance_rps * inputs.safety_factor
    return Estimate(
        rps_per_vcpu=rps_per_vcpu,
        instance_rps=instance_rps,
        invocations_per_instance=target_rps * 60,
        concurrent_requests_per_model=target_rps * step.mean_ms / 1000,
        instances=_count_instances(inputs.peak_rps, target_rps),
    )


def _count_instances(peak_rps: float | None, target_rps: float) -> int | None:
    if peak_rps is None:
        return None
    return max(MIN_INSTANCES, math.ceil(peak_rps / target_rps))
