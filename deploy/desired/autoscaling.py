"""Scaling: the parameters by which the number of instances follows the load."""

from deploy.config.configuration import Configuration
from deploy.config.naming import VARIANT_NAME, Parameters, build_tags

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TARGET_TRACKING_POLICY, WAKE_POLICY = "xgb-endpoint-target-tracking", "xgb-endpoint-wake"
METRICS = {
    "invocations_per_instance": "SageMakerVariantInvocationsPerInstance",
    "concurrent_requests_per_model": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}


def scalable_target_id(name: str) -> Parameters:
    """Return the words by which Application Auto Scaling knows an endpoint's instances."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/{VARIANT_NAME}",
        "ScalableDimension": DIMENSION,
    }


def policy_arn_placeholder(policy: str) -> str:
    """Return what stands for the ARN of a policy until AWS has given it one."""
    return f"the ARN of {policy}"


def build_scalable_target(configuration: Configuration) -> Parameters | None:
    """Return between which numbers the instances scale, if they do."""
    scaling = configuration.scaling
    return (
        scalable_target_id(configuration.name)
        | {"MinCapacity": scaling.min, "MaxCapacity": scaling.max}
        if scaling
        else None
    )


def build_scaling_policies(configuration: Configuration) -> list[Parameters]:
    """Return what the number of instances follows: a metric, and from zero also the alarm that wakes it."""
    scaling = configuration.scaling
    if scaling is None:
        return []
    tracking: Parameters = {"TargetValue": scaling.target}
    if scaling.metric in METRICS:
        tracking["PredefinedMetricSpecification"] = {
            "PredefinedMetricType": METRICS[scaling.metric]
        }
    else:
        tracking["CustomizedMetricSpecification"] = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": configuration.name}],
            "Statistic": "Average",
        }
    tracking |= {
        "ScaleInCooldown": scaling.scale_in_cooldown_seconds,
        "ScaleOutCooldown": scaling.scale_out_cooldown_seconds,
    }
    policies = [
        {
            "PolicyName": TARGET_TRACKING_POLICY,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking,
        }
    ]
    if scaling.min == 0:
        step = {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": scaling.scale_out_cooldown_seconds,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        }
        policies.append(
            {
                "PolicyName": WAKE_POLICY,
                "PolicyType": "StepScaling",
                "StepScalingPolicyConfiguration": step,
            }
        )
    return [scalable_target_id(configuration.name) | policy for policy in policies]


def build_wake_alarm(configuration: Configuration) -> Parameters | None:
    """Return the alarm that starts the first instance; without it tracking leaves zero only for more than its target."""
    if configuration.scaling is None or configuration.scaling.min > 0:
        return None
    return {
        "AlarmName": f"{configuration.name}-backlog-without-capacity",
        "AlarmActions": [policy_arn_placeholder(WAKE_POLICY)],
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity",
        "Dimensions": [{"Name": "EndpointName", "Value": configuration.name}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        "Tags": build_tags(configuration),
    }
