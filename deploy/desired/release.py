"""The versioned part of an endpoint: artifact, model, endpoint config and endpoint.

Models and endpoint configs are immutable in SageMaker. Their names contain a hash of their content,
so an existing resource of that name has exactly that content.
"""

import hashlib
import json
from dataclasses import dataclass

from deploy.config.configuration import Configuration
from deploy.config.environment import build_environment
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
from deploy.desired.data_capture import build_capture_config

DIGEST_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Release:
    """The parameters of PutObject, CreateModel, CreateEndpointConfig and CreateEndpoint."""

    upload: Parameters
    model: Parameters
    config: Parameters
    endpoint: Parameters

    @property
    def endpoint_name(self) -> str:
        return str(self.endpoint["EndpointName"])

    @property
    def model_name(self) -> str:
        return str(self.model["ModelName"])

    @property
    def config_name(self) -> str:
        return str(self.config["EndpointConfigName"])


def build_release(configuration: Configuration, artifact: Artifact) -> Release:
    """Build the parameters that create the release of a configuration and its artifact."""
    upload = _build_upload(configuration, artifact)
    model = _add_name("ModelName", configuration, _build_model(configuration, upload))
    config = _build_config(configuration, model["ModelName"])
    config = _add_name("EndpointConfigName", configuration, config)
    return Release(upload, model, config, _build_endpoint(configuration, config))


def _add_name(key: str, configuration: Configuration, parameters: Parameters) -> Parameters:
    content = drop_none(parameters)
    digest = _hash_text(json.dumps(content, sort_keys=True))
    version = configuration.metadata.version.replace(".", "-").strip("-").replace("--", "-")
    return {
        key: f"{configuration.name}-{version}-{digest}",
        **content,
        "Tags": build_versioned_tags(configuration),
    }


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def _build_upload(configuration: Configuration, artifact: Artifact) -> Parameters:
    key = configuration.kms.artifact_key
    folder = artifact.sha256
    if key:
        # Uploaded objects are never overwritten, so each KMS key needs its own object.
        folder = f"{folder}-{_hash_text(key)}"
    return drop_none(
        {
            "Bucket": configuration.model.bucket,
            "Key": f"{artifact_prefix(configuration)}{folder}/{ARTIFACT_FILE_NAME}",
            "ChecksumAlgorithm": "SHA256",
            "Tagging": f"{OWNER_TAG}={configuration.name}",
            "ServerSideEncryption": "aws:kms" if key else None,
            "SSEKMSKeyId": key,
        }
    )


def _build_model(configuration: Configuration, upload: Parameters) -> Parameters:
    return {
        "ExecutionRoleArn": configuration.role,
        "PrimaryContainer": {
            "Image": configuration.image,
            "ModelDataUrl": f"s3://{upload['Bucket']}/{upload['Key']}",
            "Environment": build_environment(configuration),
        },
        "VpcConfig": _build_vpc_config(configuration),
        "EnableNetworkIsolation": True if configuration.network.isolation else None,
    }


def _build_vpc_config(configuration: Configuration) -> Parameters | None:
    network = configuration.network
    if not network.subnets:
        return None
    return {"Subnets": list(network.subnets), "SecurityGroupIds": list(network.security_groups)}


def _build_config(configuration: Configuration, model_name: str) -> Parameters:
    return {
        "ProductionVariants": [_build_variant(configuration, model_name)],
        "AsyncInferenceConfig": _build_async_config(configuration),
        "DataCaptureConfig": build_capture_config(configuration),
        "KmsKeyId": configuration.kms.volume_key,
    }


def _build_variant(configuration: Configuration, model_name: str) -> Parameters:
    compute = configuration.compute
    variant: Parameters = {
        "VariantName": VARIANT_NAME,
        "ModelName": model_name,
        "InitialVariantWeight": 1.0,
    }
    if serverless := compute.serverless:
        return variant | {
            "ServerlessConfig": {
                "MemorySizeInMB": serverless.memory_mb,
                "MaxConcurrency": serverless.max_concurrency,
                "ProvisionedConcurrency": serverless.provisioned_concurrency,
            }
        }
    return variant | {
        "InstanceType": compute.instance_type,
        "InitialInstanceCount": compute.instance_count,
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        "ContainerStartupHealthCheckTimeoutInSeconds": compute.startup_timeout_seconds,
    }


def _build_async_config(configuration: Configuration) -> Parameters | None:
    asynchronous = configuration.compute.asynchronous
    if asynchronous is None:
        return None
    topics = {"SuccessTopic": asynchronous.success_topic, "ErrorTopic": asynchronous.error_topic}
    max_invocations = asynchronous.max_concurrent_invocations
    return {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": max_invocations},
        "OutputConfig": {
            "S3OutputPath": asynchronous.output,
            "S3FailurePath": asynchronous.failure,
            "NotificationConfig": topics if any(topics.values()) else None,
        },
    }


def _build_endpoint(configuration: Configuration, config: Parameters) -> Parameters:
    config_name = config["EndpointConfigName"]
    return {
        "EndpointName": configuration.name,
        "EndpointConfigName": config_name,
        "Tags": [
            *build_versioned_tags(configuration),
            {"Key": SERVING_CONFIG_TAG, "Value": config_name},
        ],
    }
