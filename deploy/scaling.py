"""Scaling: the parameters by which the number of instances follows the load."""

from deploy.configuration import Configuration
from deploy.naming import VARIANT, Parameters

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
POLICY = "xgb-endpoint-target-tracking"
METRICS = {
    "invocations_per_instance": "SageMakerVariantInvocationsPerInstance",
    "concurrent_requests_per_model": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}


def scaled(name: str) -> Parameters:
    """Return the words by which Application Auto Scaling knows an endpoint's instances."""
    return {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{name}/variant/{VARIANT}", "ScalableDimension": DIMENSION}


def target_of(configuration: Configuration) -> Parameters | None:
    """Return between which numbers the instances scale, if they do."""
    scaling = configuration.scaling
    return scaled(configuration.name) | {"MinCapacity": scaling.min, "MaxCapacity": scaling.max} if scaling else None


def policy_of(configuration: Configuration) -> Parameters | None:
    """Return what the number of instances follows, if it follows anything."""
    scaling = configuration.scaling
    if scaling is None:
        return None
    tracking: Parameters = {"TargetValue": scaling.target}
    if scaling.metric in METRICS:
        tracking["PredefinedMetricSpecification"] = {"PredefinedMetricType": METRICS[scaling.metric]}
    else:
        dimensions = [{"Name": "EndpointName", "Value": configuration.name}]
        tracking["CustomizedMetricSpecification"] = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": dimensions,
            "Statistic": "Average",
        }
    tracking |= {"ScaleInCooldown": scaling.scale_in_cooldown_seconds, "ScaleOutCooldown": scaling.scale_out_cooldown_seconds}
    named = {"PolicyName": POLICY, "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": tracking}
    return scaled(configuration.name) | named
