"""Holds the parameters of calls against AWS's own description of them, without a network."""

import re
from difflib import get_close_matches
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from deploy.config.naming import Parameters
from deploy.desired.resources import Wanted
from deploy.errors import BadConfiguration

# Where AWS's names come from, so that a fault is told in the words of the file.
KEYS = {
    "Image": "image", "ModelDataUrl": "model.bucket", "Environment": "data_format.environment", "ExecutionRoleArn": "role",
    "SecurityGroupIds": "network.security_groups", "Subnets": "network.subnets", "InstanceType": "compute.instance_type",
    "InitialInstanceCount": "compute.instance_count", "S3OutputPath": "compute.asynchronous.output", "KmsKeyId": "kms",
    "S3FailurePath": "compute.asynchronous.failure", "SuccessTopic": "compute.asynchronous.success_topic",
    "ErrorTopic": "compute.asynchronous.error_topic", "DestinationS3Uri": "capture.destination", "Alarms": "update.alarms.names",
    "Tags": "metadata.tags", "CsvContentTypes": "data_format.content_types", "JsonContentTypes": "data_format.content_types",
    "Bucket": "model.bucket", "SSEKMSKeyId": "kms.artifact_key",
}  # fmt: skip
MOST_BYTES = 1024  # of a variable of the environment


def validate(wanted: Wanted) -> None:
    """Check all parameters against the service model; raises BadConfiguration that names the key."""
    calls = [("sagemaker", "CreateModel", wanted.model), ("sagemaker", "CreateEndpointConfig", wanted.config),
             ("sagemaker", "CreateEndpoint", wanted.endpoint), ("s3", "PutObject", wanted.upload)]  # fmt: skip
    if wanted.deployment:
        update = {key: wanted.endpoint[key] for key in ("EndpointName", "EndpointConfigName")}
        calls.append(
            ("sagemaker", "UpdateEndpoint", update | {"DeploymentConfig": wanted.deployment})
        )
    calls += [
        ("cloudwatch", "PutMetricAlarm", alarm)
        for alarm in (*wanted.alarms, wanted.wake_alarm)
        if alarm
    ]
    if wanted.target:
        calls.append(("application-autoscaling", "RegisterScalableTarget", wanted.target))
    calls += [("application-autoscaling", "PutScalingPolicy", policy) for policy in wanted.policies]
    for service, operation, parameters in calls:
        shape = _model(service).operation_model(operation).input_shape
        if report := ParamValidator().validate(parameters, shape).generate_report():
            raise BadConfiguration(_in_our_words(report.splitlines()[0]))
        _limits(shape, parameters, "")


def instance_type_warning(instance_type: str) -> str | None:
    """Return a warning about an instance type that this boto3 does not know; a newer one may."""
    known = _model("sagemaker").shape_for("ProductionVariantInstanceType").enum
    if instance_type in known:
        return None
    return f"compute.instance_type: {instance_type} is not among the {len(known)} that boto3 knows: is it spelt right, or newer?"


def region_warning(region: str) -> str | None:
    """Return a warning about a region where this boto3 knows no SageMaker; a newer one may."""
    session = botocore.session.get_session()
    known = [
        one
        for partition in session.get_available_partitions()
        for one in session.get_available_regions("sagemaker", partition)
    ]
    if region in known:
        return None
    near = get_close_matches(region, known, 1)
    return f"region: boto3 knows no SageMaker in {region}: " + (
        f"did you mean {near[0]}?" if near else "is it spelt right, or newer?"
    )


def creation_parameters(
    operation: str, described: Parameters, service: str = "sagemaker"
) -> Parameters:
    """Return of what AWS describes only what a creating call may say, but for the tags."""
    kept: Parameters = _members(_model(service).operation_model(operation).input_shape, described)
    return {key: value for key, value in kept.items() if key != "Tags"}


def _members(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {
            key: _members(shape.members[key], inner)
            for key, inner in value.items()
            if key in shape.members and inner not in (None, {}, []) and inner is not False
        }
    return (
        [_members(shape.member, inner) for inner in value] if shape.type_name == "list" else value
    )


def _limits(shape: Any, value: Any, name: str) -> None:
    # botocore checks types and lower bounds; upper bounds and forms, which it knows too, are found by AWS alone.
    if shape.type_name == "structure":
        for key, inner in value.items():
            _limits(shape.members[key], inner, key if key in KEYS else name)
    elif shape.type_name == "list":
        for inner in value:
            _limits(shape.member, inner, name)
    most = shape.metadata.get("max")
    if most is not None and shape.type_name in ("string", "list", "map", "integer"):
        size = value if shape.type_name == "integer" else len(value)
        if size > most:
            raise BadConfiguration(
                f"{KEYS.get(name, name)}: {size} is more than AWS takes, {most}: lower or shorten it"
            )
    if (
        shape.type_name == "string"
        and (form := _form(shape.metadata.get("pattern", "")))
        and not form.fullmatch(value)
    ):
        raise BadConfiguration(
            f'{KEYS.get(name, name)}: "{value[:60]}…{value[-60:]}" does not fit: AWS takes {form.pattern}'
        )
    if shape.type_name == "map" and any(
        len(f"{text}".encode()) > MOST_BYTES for pair in value.items() for text in pair
    ):
        raise BadConfiguration(
            f"{KEYS.get(name, name)}: names and values have at most {MOST_BYTES} bytes: shorten the longest"
        )


@cache
def _form(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, re.ASCII) if pattern else None
    except re.error:  # some say by \\p what Python cannot
        return None


def _in_our_words(line: str) -> str:
    key = next(
        (
            KEYS[name]
            for name in reversed(line.replace(",", " ").replace(".", " ").split())
            if name in KEYS
        ),
        None,
    )
    return f"{key or 'the file'}: AWS would refuse it: {line}"


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)
