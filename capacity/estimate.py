"""What a rate that held here means for an instance type: scaling targets, and instances for a peak."""

import math
from dataclasses import dataclass

from capacity.load import Step

LEAST_INSTANCES = 2  # one in each of two zones


@dataclass(frozen=True, slots=True)
class Scale:
    """What the rate is scaled to, and with which reserve."""

    processors: float
    instance_type: str
    vcpus: int
    safety_factor: float
    peak_rps: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The numbers for one instance, in AWS's names; ``instances`` is None without a peak."""

    rps_per_vcpu: float
    instance_rps: float
    invocations_per_instance: float
    concurrent_requests_per_model: float
    instances: int | None


def estimate(held: Step, scale: Scale) -> Estimate:
    """Return what follows if each vCPU of the instance does what a processor here did.

    TargetValue of InvocationsPerInstance is a minute's, by AWS's formula: MAX_RPS x safety factor x 60. That of
    ConcurrentRequestsPerModel is by Little's law: rate x mean latency, x safety factor.
    """
    per_vcpu = held.rps / scale.processors
    instance_rps = per_vcpu * scale.vcpus
    safe_rps = instance_rps * scale.safety_factor
    return Estimate(
        rps_per_vcpu=per_vcpu,
        instance_rps=instance_rps,
        invocations_per_instance=safe_rps * 60,
        concurrent_requests_per_model=safe_rps * held.mean_ms / 1000,
        instances=None
        if scale.peak_rps is None
        else max(LEAST_INSTANCES, math.ceil(scale.peak_rps / safe_rps)),
    )
