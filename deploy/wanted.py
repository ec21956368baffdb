"""What a configuration asks of AWS: the exact parameters of each call, and names by their content."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from deploy.artefact import Artefact
from deploy.configuration import Configuration

VARIANT = "AllTraffic"
OWNER = "xgb-endpoint:endpoint"
PREVIOUS = "xgb-endpoint:previous"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
POLICY = "xgb-endpoint-target-tracking"
METRICS = {
    "invocations_per_instance": "SageMakerVariantInvocationsPerInstance",
    "concurrent_requests_per_model": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}

Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters of the calls that make an endpoint; ``target`` and ``policy`` are None without scaling."""

    upload: Parameters
    model: Parameters
    config: Parameters
    endpoint: Parameters
    deployment: Parameters | None
    alarms: list[Parameters]
    target: Parameters | None
    policy: Parameters | None

    @property
    def retains(self) -> bool:
        """Tell whether an update keeps the number of instances that scaling has found."""
        return self.target is not None


def wanted_of(configuration: Configuration, artefact: Artefact) -> Wanted:
    """Turn a configuration and its artefact into the parameters of calls."""
    upload = _upload(configuration, artefact)
    model = _named("ModelName", configuration, _model(configuration, upload))
    config = _named("EndpointConfigName", configuration, _config(configuration, model["ModelName"]))
    alarms = _alarms(configuration)
    target = _target(configuration)
    endpoint = {
        "EndpointName": configuration.name,
        "EndpointConfigName": config["EndpointConfigName"],
        "Tags": tags_of(configuration),
    }
    return Wanted(upload, model, config, endpoint, _deployment(configuration, alarms), alarms, target, _policy(configuration))


def tags_of(configuration: Configuration) -> list[dict[str, str]]:
    """Return the tags by which `down` knows what it may remove, and the user's own."""
    own = {OWNER: configuration.name, "xgb-endpoint:version": configuration.metadata.version}
    return [{"Key": key, "Value": value} for key, value in {**configuration.metadata.tags, **own}.items()]


def scaled(name: str) -> Parameters:
    """Return the words by which Application Auto Scaling knows an endpoint's instances."""
    return {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{name}/variant/{VARIANT}", "ScalableDimension": DIMENSION}


def without_nones(value: Any) -> Any:
    """Return parameters without those that nobody set."""
    if isinstance(value, dict):
        return {key: without_nones(inner) for key, inner in value.items() if inner is not None}
    return [without_nones(inner) for inner in value] if isinstance(value, list) else value


def _named(key: str, configuration: Configuration, parameters: Parameters) -> Parameters:
    # Models and configs cannot be changed, so that what differs has another name, and what is there can be trusted.
    content = without_nones(parameters)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    version = configuration.metadata.version.replace(".", "-").strip("-").replace("--", "-")
    return {key: f"{configuration.name}-{version}-{digest[:8]}", **content, "Tags": tags_of(configuration)}


def _upload(configuration: Configuration, artefact: Artefact) -> Parameters:
    model, key = configuration.model, configuration.kms.artefact_key
    return without_nones(
        {
            "Bucket": model.bucket,
            "Key": f"{model.prefix.strip('/')}/{configuration.name}/{artefact.sha256}/model.tar.gz",
            "ChecksumAlgorithm": "SHA256",
            "Tagging": f"{OWNER}={configuration.name}",
            "ServerSideEncryption": "aws:kms" if key else None,
            "SSEKMSKeyId": key,
        }
    )


def _model(configuration: Configuration, upload: Parameters) -> Parameters:
    network, formats = configuration.network, configuration.data_format
    environment = dict(formats.environment) | ({"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": formats.accept} if formats.accept else {})
    vpc = {"Subnets": list(network.subnets), "SecurityGroupIds": list(network.security_groups)} if network.subnets else None
    return {
        "ExecutionRoleArn": configuration.role,
        "PrimaryContainer": {
            "Image": configuration.image,
            "ModelDataUrl": f"s3://{upload['Bucket']}/{upload['Key']}",
            "Environment": environment,
        },
        "VpcConfig": vpc,
        "EnableNetworkIsolation": True if network.isolation else None,
    }


def _config(configuration: Configuration, model: str) -> Parameters:
    compute, capture = configuration.compute, configuration.capture
    variant: Parameters = {"VariantName": VARIANT, "ModelName": model, "InitialVariantWeight": 1.0}
    if serverless := compute.serverless:
        variant["ServerlessConfig"] = {
            "MemorySizeInMB": serverless.memory_mb,
            "MaxConcurrency": serverless.max_concurrency,
            "ProvisionedConcurrency": serverless.provisioned_concurrency,
        }
    else:
        variant |= {"InstanceType": compute.instance_type, "InitialInstanceCount": compute.instance_count}
        variant["RoutingConfig"] = {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
        variant["ContainerStartupHealthCheckTimeoutInSeconds"] = compute.startup_timeout_seconds
    return {
        "ProductionVariants": [variant],
        "AsyncInferenceConfig": _asynchronous(configuration),
        "DataCaptureConfig": _capture(configuration) if capture else None,
        "KmsKeyId": configuration.kms.volume_key,
    }


def _asynchronous(configuration: Configuration) -> Parameters | None:
    asynchronous = configuration.compute.asynchronous
    if asynchronous is None:
        return None
    topics = {"SuccessTopic": asynchronous.success_topic, "ErrorTopic": asynchronous.error_topic}
    return {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": asynchronous.max_concurrent_invocations},
        "OutputConfig": {
            "S3OutputPath": asynchronous.output,
            "S3FailurePath": asynchronous.failure,
            "NotificationConfig": topics if any(topics.values()) else None,
        },
    }


def _capture(configuration: Configuration) -> Parameters:
    capture, types = configuration.capture, [name.partition(";")[0] for name in configuration.data_format.content_types]
    headers = {"CsvContentTypes": [t for t in types if "csv" in t], "JsonContentTypes": [t for t in types if "json" in t]}
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent if capture else 0,
        "DestinationS3Uri": capture.destination if capture else "",
        "KmsKeyId": configuration.kms.artefact_key,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {key: found for key, found in headers.items() if found} or None,
    }


def _alarms(configuration: Configuration) -> list[Parameters]:
    name, alarms = configuration.name, configuration.update.alarms
    shared = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": VARIANT}],
        "Period": 60,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",  # else an endpoint that nobody calls has no data, and no update passes
        "Tags": tags_of(configuration),
    }
    made = []
    if alarms.errors_5xx is not None:
        made.append(
            {
                "AlarmName": f"{name}-errors-5xx",
                "MetricName": "Invocation5XXErrors",
                "Statistic": "Sum",
                "EvaluationPeriods": 1,
                "Threshold": float(alarms.errors_5xx),
                **shared,
            }
        )
    if alarms.latency_p99_ms is not None:  # the metric counts microseconds
        made.append(
            {
                "AlarmName": f"{name}-latency-p99",
                "MetricName": "ModelLatency",
                "ExtendedStatistic": "p99",
                "EvaluationPeriods": 3,
                "Threshold": alarms.latency_p99_ms * 1000.0,
                **shared,
            }
        )
    return made


def _deployment(configuration: Configuration, alarms: list[Parameters]) -> Parameters | None:
    update = configuration.update
    if configuration.compute.serverless:
        return None  # guardrails are for instances
    size = {"Type": "CAPACITY_PERCENT", "Value": update.step_percent}
    names = [alarm["AlarmName"] for alarm in alarms] + list(update.alarms.names)
    rollback = {"Alarms": [{"AlarmName": name} for name in names]} if names else None
    if update.strategy == "rolling":
        rolling = {
            "MaximumBatchSize": size,
            "WaitIntervalInSeconds": update.wait_seconds,
            "MaximumExecutionTimeoutInSeconds": update.timeout_seconds,
        }
        return without_nones({"RollingUpdatePolicy": rolling, "AutoRollbackConfiguration": rollback})
    traffic = {"Type": update.strategy.upper(), "WaitIntervalInSeconds": update.wait_seconds}
    traffic |= {"canary": {"CanarySize": size}, "linear": {"LinearStepSize": size}}.get(update.strategy, {})
    policy = {
        "TrafficRoutingConfiguration": traffic,
        "TerminationWaitInSeconds": update.termination_wait_seconds,
        "MaximumExecutionTimeoutInSeconds": update.timeout_seconds,
    }
    return without_nones({"BlueGreenUpdatePolicy": policy, "AutoRollbackConfiguration": rollback})


def _target(configuration: Configuration) -> Parameters | None:
    scaling = configuration.scaling
    return scaled(configuration.name) | {"MinCapacity": scaling.min, "MaxCapacity": scaling.max} if scaling else None


def _policy(configuration: Configuration) -> Parameters | None:
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
