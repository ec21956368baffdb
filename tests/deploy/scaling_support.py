"""Shared by the tests of scaling: settings that users change by hand, and the current state."""

from datetime import UTC, datetime
from typing import Any

from tests.support.aws_emulator.server import Emulator

SCALABLE_TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/diamonds/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
STEP_SCALING = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
}
# Assigned by AWS whenever a resource is created.
GENERATED_KEYS = {
    "CreationTime",
    "ScalableTargetARN",
    "PolicyARN",
    "ScheduledActionARN",
    "Alarms",
}


def customize_scaling(emulator: Emulator) -> None:
    """Change the target, and add a policy and a scheduled action, as a user does by hand."""
    scaling = emulator.client("application-autoscaling")
    scaling.register_scalable_target(
        **SCALABLE_TARGET,
        MinCapacity=3,
        MaxCapacity=9,
        SuspendedState={"DynamicScalingInSuspended": True},
    )
    scaling.put_scaling_policy(
        **SCALABLE_TARGET,
        PolicyName="theirs",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration=STEP_SCALING,
    )
    scaling.put_scheduled_action(
        **SCALABLE_TARGET,
        ScheduledActionName="mornings",
        Schedule="cron(0 8 * * ? *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 5},
        EndTime=datetime(2126, 1, 1, tzinfo=UTC),
    )


def read_scaling(emulator: Emulator) -> list[dict[str, Any]]:
    """Return targets, policies and scheduled actions, without the values that AWS generates."""
    scaling = emulator.client("application-autoscaling")
    namespace = {"ServiceNamespace": "sagemaker"}
    policies = scaling.describe_scaling_policies(**namespace)["ScalingPolicies"]
    resources = [
        *scaling.describe_scalable_targets(**namespace)["ScalableTargets"],
        *sorted(policies, key=lambda policy: str(policy["PolicyName"])),
        *scaling.describe_scheduled_actions(**namespace)["ScheduledActions"],
    ]
    return [
        {key: value for key, value in resource.items() if key not in GENERATED_KEYS}
        for resource in resources
    ]


def list_scaling_names(emulator: Emulator) -> list[str]:
    """Return the names of the policies and scheduled actions."""
    return [
        resource.get("PolicyName") or resource["ScheduledActionName"]
        for resource in read_scaling(emulator)
        if "MinCapacity" not in resource
    ]
