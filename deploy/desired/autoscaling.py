"""Scaling: the parameters by which the number of instances follows the load."""

from deploy.config.configuration import Configuration
from deploy.config.naming import VARIANT, Parameters, lasting_tags_of

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TRACKING, WAKING = "xgb-endpoint-target-tracking", "xgb-endpoint-wake"
METRICS = {
    "invocations_per_instance": "SageMakerVariantInvocationsPerInstance",
    "concurrent_requests_per_model": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}


def scaled(name: str) -> Parameters:
    """Return the words by which Application Auto Scaling knows an endpoint's instances."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/{VARIANT}",
        "ScalableDimension": DIMENSION,
    }


def arn_of(policy: str) -> str:
    """Return what stands for the ARN of a policy until AWS has given it one."""
    return f"the ARN of {policy}"


def target_of(configuration: Configuration) -> Parameters | None:
    """Return between which numbers the instances scale, if they do."""
    scaling = configuration.scaling
    return (
        scaled(configuration.name) | {"MinCapacity": scaling.min, "MaxCapacity": scaling.max}
        if scaling
        else None
    )


def scaling_policies_of(configuration: Configuration) -> list[Parameters]:
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
            "PolicyName": TRACKING,
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
                "PolicyName": WAKING,
                "PolicyType": "StepScaling",
                "StepScalingPolicyConfiguration": step,
            }
        )
    return [scaled(configuration.name) | policy for policy in policies]


def wake_alarm_of(configuration: Configuration) -> Parameters | None:
    """Return the alarm that starts the first instance; without it tracking leaves zero only for more than its target."""
    if configuration.scaling is None or configuration.scaling.min > 0:
        return None
    return {
        "AlarmName": f"{configuration.name}-backlog-without-capacity",
        "AlarmActions": [arn_of(WAKING)],
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity",
        "Dimensions": [{"Name": "EndpointName", "Value": configuration.name}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        "Tags": lasting_tags_of(configuration),
    }
