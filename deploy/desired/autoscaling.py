"""Builds the parameters of Application Auto Scaling: the scalable target and its policies."""

from deploy.config.configuration import Configuration, Scaling
from deploy.config.naming import VARIANT_NAME, Parameters

SCALABLE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TARGET_TRACKING_POLICY = "xgb-endpoint-target-tracking"
WAKE_POLICY = "xgb-endpoint-wake"
PREDEFINED_METRICS = {
    "invocations_per_instance": "SageMakerVariantInvocationsPerInstance",
    "concurrent_requests_per_model": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}


def scalable_target_id(name: str) -> Parameters:
    """Return the parameters that identify the scalable target of the endpoint ``name``."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/{VARIANT_NAME}",
        "ScalableDimension": SCALABLE_DIMENSION,
    }


def policy_arn_placeholder(policy_name: str) -> str:
    """Return the text that represents a policy's ARN in a plan until AWS has assigned one."""
    return f"the ARN of {policy_name}"


def build_scalable_target(configuration: Configuration) -> Parameters | None:
    """Build the RegisterScalableTarget parameters; None without scaling."""
    scaling = configuration.scaling
    if scaling is None:
        return None
    capacity = {"MinCapacity": scaling.min, "MaxCapacity": scaling.max}
    return scalable_target_id(configuration.name) | capacity


def build_scaling_policies(configuration: Configuration) -> list[Parameters]:
    """Build the PutScalingPolicy parameters: target tracking, and one that wakes from zero."""
    scaling = configuration.scaling
    if scaling is None:
        return []
    policies = [_build_target_tracking(configuration.name, scaling)]
    if scaling.min == 0:
        policies.append(_build_wake_policy(scaling.scale_out_cooldown_seconds))
    target_id = scalable_target_id(configuration.name)
    return [target_id | policy for policy in policies]


def _build_target_tracking(name: str, scaling: Scaling) -> Parameters:
    tracking: Parameters = {"TargetValue": scaling.target}
    if scaling.metric in PREDEFINED_METRICS:
        tracking["PredefinedMetricSpecification"] = {
            "PredefinedMetricType": PREDEFINED_METRICS[scaling.metric]
        }
    else:
        tracking["CustomizedMetricSpecification"] = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": name}],
            "Statistic": "Average",
        }
    tracking["ScaleInCooldown"] = scaling.scale_in_cooldown_seconds
    tracking["ScaleOutCooldown"] = scaling.scale_out_cooldown_seconds
    return {
        "PolicyName": TARGET_TRACKING_POLICY,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }


def _build_wake_policy(cooldown_seconds: int) -> Parameters:
    return {
        "PolicyName": WAKE_POLICY,
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": cooldown_seconds,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        },
    }
