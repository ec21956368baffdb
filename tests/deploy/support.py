"""Shared by the tests of deploy/: options, changes to the example file, faults and queries."""

from collections.abc import Callable
from typing import Any

from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import BUCKET, Emulator
from tests.support.server import ROOT

POLL = ("--poll-seconds", "0.01")
PAYLOAD = ROOT / "local_test" / "payloads" / "diamonds.csv"
MAX_RUNS = 20

# Changes to the example file.
SECOND_VERSION = {"1.0.0": "2.0.0"}
THIRD_VERSION = {"1.0.0": "3.0.0"}
FLASK_FRONTEND = {"environment: {}": "environment: {SERVE_FRONTEND: flask}"}
NEW_INSTANCE_TYPE = {"instance_type: ml.c6i.large": "instance_type: ml.c7i.large"}
SCALING = (
    "scaling:"
    + (ROOT / "deploy" / "endpoint.example.yaml")
    .read_text()
    .partition("\nscaling:")[2]
    .partition("\nupdate:")[0]
)
WITHOUT_SCALING = {SCALING: ""}

# Transitions of an endpoint: (EndpointStatus, whether the new endpoint config is in use).
ROLLED_BACK = [("Updating", False), ("RollingBack", False), ("InService", False)]

# AWS executes the call, but its response is lost; or AWS does not execute the call.
RESPONSE_LOST = Fault("InternalFailure", status=500, applied=True)
UNAVAILABLE = Fault("InternalFailure", status=500)


def list_resources(emulator: Emulator) -> list[str]:
    """Return the names of all resources, except the bucket and the image."""
    sagemaker, scaling = emulator.client("sagemaker"), emulator.client("application-autoscaling")
    endpoints = sagemaker.list_endpoints()["Endpoints"]
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    models = sagemaker.list_models()["Models"]
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    alarms = emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
    objects = emulator.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [
        *(endpoint["EndpointName"] for endpoint in endpoints),
        *(config["EndpointConfigName"] for config in configs),
        *(model["ModelName"] for model in models),
        *(target["ResourceId"] for target in targets),
        *(policy["PolicyName"] for policy in policies),
        *(alarm["AlarmName"] for alarm in alarms),
        *(item["Key"] for item in objects),
    ]


def list_mutations(emulator: Emulator) -> list[str]:
    """Return the operations of the recorded calls that change something, in order."""
    return [call.operation for call in emulator.recorder.calls if call.mutates]


def find_last_parameters(emulator: Emulator, operation: str) -> dict[str, Any]:
    """Return the parameters of the last recorded call of an operation."""
    return next(
        call.parameters for call in reversed(emulator.recorder.calls) if call.operation == operation
    )


def find_serving_config(emulator: Emulator) -> str:
    """Return the name of the endpoint config in use."""
    endpoint = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")
    return str(endpoint["EndpointConfigName"])


def reject_update(call: ApiCall, _: int) -> Fault | None:
    """Reject UpdateEndpoint because of a quota."""
    if call.operation == "UpdateEndpoint":
        return Fault("ResourceLimitExceeded", "no more ml.c7i.large")
    return None


def kill_after(emulator: Emulator, operation: str) -> None:
    """Make AWS see what it sees of a run that is killed just after an operation."""
    emulator.recorder.reset()

    def inject_fault(call: ApiCall, _: int) -> Fault | None:
        if call.operation == operation:
            return RESPONSE_LOST
        return UNAVAILABLE if operation in list_mutations(emulator) else None

    emulator.recorder.inject_fault = inject_fault


def count_runs_until_done(emulator: Emulator, run: Callable[[], int]) -> int:
    """Run a command that is killed after its first change, until a run has nothing to change.

    AWS executes the change, but its response is lost and every later call of that run fails.
    Returns the number of runs.
    """

    def inject_fault(call: ApiCall, mutation_count: int) -> Fault | None:
        if mutation_count == 0:
            return None
        return RESPONSE_LOST if call.mutates and mutation_count == 1 else UNAVAILABLE

    for number in range(1, MAX_RUNS):
        emulator.recorder.calls.clear()
        emulator.recorder.inject_fault = inject_fault
        if run() == 0:
            return number
    raise AssertionError(f"not done after {MAX_RUNS} runs")
