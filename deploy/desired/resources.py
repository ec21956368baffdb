"""What a configuration asks of AWS: the exact parameters of each call, and names by their content."""

import hashlib
import json
from dataclasses import dataclass

from deploy.config.configuration import Configuration
from deploy.config.naming import (
    ARTIFACT_FILE_NAME,
    OWNER_TAG,
    SERVING_CONFIG_TAG,
    VARIANT_NAME,
    Parameters,
    artifact_prefix,
    build_versioned_tags,
    drop_none,
)
from deploy.desired.artifact import Artifact
from deploy.desired.autoscaling import (
    build_scalable_target,
    build_scaling_policies,
    build_wake_alarm,
)
from deploy.desired.guardrails import build_alarms, build_deployment_config


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters of the calls that make an endpoint; ``target`` is None without scaling, ``wake_alarm`` but from zero."""

    upload: Parameters
    model: Parameters
    config: Parameters
    endpoint: Parameters
    deployment: Parameters | None
    alarms: list[Parameters]
    target: Parameters | None
    policies: list[Parameters]
    wake_alarm: Parameters | None

    @property
    def retains(self) -> bool:
        """Tell whether an update keeps the number of instances that scaling has found."""
        return self.target is not None


def wanted_of(configuration: Configuration, artifact: Artifact) -> Wanted:
    """Turn a configuration and its artifact into the parameters of calls."""
    upload = _upload(configuration, artifact)
    model = _named("ModelName", configuration, _model(configuration, upload))
    config = _named("EndpointConfigName", configuration, _config(configuration, model["ModelName"]))
    alarms = build_alarms(configuration)
    endpoint = {
        "EndpointName": configuration.name,
        "EndpointConfigName": config["EndpointConfigName"],
        "Tags": [
            *build_versioned_tags(configuration),
            {"Key": SERVING_CONFIG_TAG, "Value": config["EndpointConfigName"]},
        ],
    }
    return Wanted(
        upload=upload,
        model=model,
        config=config,
        endpoint=endpoint,
        deployment=build_deployment_config(configuration, alarms),
        alarms=alarms,
        target=build_scalable_target(configuration),
        policies=build_scaling_policies(configuration),
        wake_alarm=build_wake_alarm(configuration),
    )


def _named(key: str, configuration: Configuration, parameters: Parameters) -> Parameters:
    # Models and configs cannot be changed, so that what differs has another name, and what is there can be trusted.
    content = drop_none(parameters)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    version = configuration.metadata.version.replace(".", "-").strip("-").replace("--", "-")
    return {
        key: f"{configuration.name}-{version}-{digest[:8]}",
        **content,
        "Tags": build_versioned_tags(configuration),
    }


def _upload(configuration: Configuration, artifact: Artifact) -> Parameters:
    model, key = configuration.model, configuration.kms.artifact_key
    return drop_none(
        {
            "Bucket": model.bucket,
            "Key": f"{artifact_prefix(configuration)}{artifact.sha256}{_under(key)}/{ARTIFACT_FILE_NAME}",
            "ChecksumAlgorithm": "SHA256",
            "Tagging": f"{OWNER_TAG}={configuration.name}",
            "ServerSideEncryption": "aws:kms" if key else None,
            "SSEKMSKeyId": key,
        }
    )


def _under(key: str | None) -> str:
    # What was uploaded is never written again, so that with another key it must be another object.
    return f"-{hashlib.sha256(key.encode()).hexdigest()[:8]}" if key else ""


def _model(configuration: Configuration, upload: Parameters) -> Parameters:
    network, formats = configuration.network, configuration.data_format
    environment = dict(formats.environment) | (
        {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": formats.accept} if formats.accept else {}
    )
    vpc = (
        {"Subnets": list(network.subnets), "SecurityGroupIds": list(network.security_groups)}
        if network.subnets
        else None
    )
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
    variant: Parameters = {
        "VariantName": VARIANT_NAME,
        "ModelName": model,
        "InitialVariantWeight": 1.0,
    }
    if serverless := compute.serverless:
        variant["ServerlessConfig"] = {
            "MemorySizeInMB": serverless.memory_mb,
            "MaxConcurrency": serverless.max_concurrency,
            "ProvisionedConcurrency": serverless.provisioned_concurrency,
        }
    else:
        variant |= {
            "InstanceType": compute.instance_type,
            "InitialInstanceCount": compute.instance_count,
        }
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
        "ClientConfig": {
            "MaxConcurrentInvocationsPerInstance": asynchronous.max_concurrent_invocations
        },
        "OutputConfig": {
            "S3OutputPath": asynchronous.output,
            "S3FailurePath": asynchronous.failure,
            "NotificationConfig": topics if any(topics.values()) else None,
        },
    }


def _capture(configuration: Configuration) -> Parameters:
    capture, types = (
        configuration.capture,
        [name.partition(";")[0] for name in configuration.data_format.content_types],
    )
    headers = {
        "CsvContentTypes": [t for t in types if "csv" in t],
        "JsonContentTypes": [t for t in types if "json" in t],
    }
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent if capture else 0,
        "DestinationS3Uri": capture.destination if capture else "",
        "KmsKeyId": configuration.kms.artifact_key,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {key: found for key, found in headers.items() if found} or None,
    }
