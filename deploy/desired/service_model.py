"""Validates the parameters of AWS calls offline, against botocore's service models."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from deploy.config.naming import Parameters
from deploy.desired.operations import Operations
from deploy.desired.release import Release
from deploy.errors import BadConfiguration

# The key of endpoint.yaml that an AWS parameter comes from, for error messages.
CONFIGURATION_KEYS = {
    "Alarms": "update.alarms.names",
    "Bucket": "model.bucket",
    "CsvContentTypes": "data_format.content_types",
    "DestinationS3Uri": "capture.destination",
    "Environment": "data_format.environment",
    "ErrorTopic": "compute.asynchronous.error_topic",
    "ExecutionRoleArn": "role",
    "Image": "image",
    "InitialInstanceCount": "compute.instance_count",
    "InstanceType": "compute.instance_type",
    "JsonContentTypes": "data_format.content_types",
    "KmsKeyId": "kms",
    "ModelDataUrl": "model.bucket",
    "S3FailurePath": "compute.asynchronous.failure",
    "S3OutputPath": "compute.asynchronous.output",
    "SSEKMSKeyId": "kms.artifact_key",
    "SecurityGroupIds": "network.security_groups",
    "Subnets": "network.subnets",
    "SuccessTopic": "compute.asynchronous.success_topic",
    "Tags": "metadata.tags",
}
MAX_VARIABLE_BYTES = 1024  # of the name or value of an environment variable


def validate(release: Release, operations: Operations) -> None:
    """Validate the parameters of all calls.

    Raises:
        BadConfiguration: AWS would reject a parameter; the message names its configuration key.
    """
    for service, operation, parameters in _list_calls(release, operations):
        shape = _service_model(service).operation_model(operation).input_shape
        report = ParamValidator().validate(parameters, shape).generate_report()
        if report:
            raise BadConfiguration(_rephrase(report.splitlines()[0]))
        _verify_limits(shape, parameters, "")


def instance_type_warning(instance_type: str) -> str | None:
    """Return a warning if boto3 does not know the instance type; it may be newer than boto3."""
    known = _service_model("sagemaker").shape_for("ProductionVariantInstanceType").enum
    if instance_type in known:
        return None
    return (
        f"compute.instance_type: boto3 does not know {instance_type}; "
        "check the spelling, or ignore this if the type is newer than boto3"
    )


def region_warning(region: str) -> str | None:
    """Return a warning if boto3 knows no SageMaker in the Region; it may be newer than boto3."""
    session = botocore.session.get_session()
    known = [
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("sagemaker", partition)
    ]
    if region in known:
        return None
    hint = "check the spelling, or ignore this if the Region is newer than boto3"
    if similar := get_close_matches(region, known, 1):
        hint = f"did you mean {similar[0]}?"
    return f"region: boto3 does not know SageMaker in {region}; {hint}"


def creation_parameters(
    operation: str, description: Parameters, service: str = "sagemaker"
) -> Parameters:
    """Return the parameters that would recreate a resource, from AWS's description of it.

    They are the non-empty members of the description that the creating ``operation`` accepts,
    without tags.
    """
    shape = _service_model(service).operation_model(operation).input_shape
    parameters: Parameters = _select_members(shape, description)
    return {key: value for key, value in parameters.items() if key != "Tags"}


def _list_calls(release: Release, operations: Operations) -> Iterator[tuple[str, str, Parameters]]:
    yield "sagemaker", "CreateModel", release.model
    yield "sagemaker", "CreateEndpointConfig", release.config
    yield "sagemaker", "CreateEndpoint", release.endpoint
    yield "s3", "PutObject", release.upload
    if operations.deployment:
        update = {
            "EndpointName": release.endpoint_name,
            "EndpointConfigName": release.config_name,
            "DeploymentConfig": operations.deployment,
        }
        yield "sagemaker", "UpdateEndpoint", update
    for alarm in operations.created_alarms:
        yield "cloudwatch", "PutMetricAlarm", alarm
    if operations.target:
        yield "application-autoscaling", "RegisterScalableTarget", operations.target
    for policy in operations.policies:
        yield "application-autoscaling", "PutScalingPolicy", policy


def _rephrase(problem: str) -> str:
    """Return the first line of botocore's report with the configuration key in front."""
    words = problem.replace(",", " ").replace(".", " ").split()
    keys = [CONFIGURATION_KEYS[word] for word in words if word in CONFIGURATION_KEYS]
    return f"{keys[-1] if keys else 'file'}: AWS would reject this: {problem}"


def _verify_limits(shape: Any, value: Any, name: str) -> None:
    """Check maximums and patterns, which botocore's own validator ignores.

    ``name`` is the innermost parameter around the value that has a configuration key.
    """
    _verify_size(shape, value, name)
    _verify_pattern(shape, value, name)
    if shape.type_name == "structure":
        for member, inner in value.items():
            inner_name = member if member in CONFIGURATION_KEYS else name
            _verify_limits(shape.members[member], inner, inner_name)
    elif shape.type_name == "list":
        for inner in value:
            _verify_limits(shape.member, inner, name)
    elif shape.type_name == "map":
        _verify_variables(value, name)


def _verify_size(shape: Any, value: Any, name: str) -> None:
    maximum = shape.metadata.get("max")
    if maximum is None or shape.type_name not in ("string", "list", "map", "integer"):
        return
    size, unit = value, ""
    if shape.type_name != "integer":
        size = len(value)
        unit = " characters" if shape.type_name == "string" else " elements"
    if size > maximum:
        raise BadConfiguration(f"{_key(name)}: expected at most {maximum}{unit}, got {size}")


def _verify_pattern(shape: Any, value: Any, name: str) -> None:
    if shape.type_name != "string":
        return
    pattern = _compile(shape.metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        shown = value if len(value) <= 120 else f"{value[:60]}…{value[-60:]}"  # noqa: PLR2004
        raise BadConfiguration(
            f'{_key(name)}: expected text that matches {pattern.pattern}; got "{shown}"'
        )


def _verify_variables(variables: dict[str, str], name: str) -> None:
    longest = max(
        (text for pair in variables.items() for text in pair), key=_byte_length, default=""
    )
    if _byte_length(longest) > MAX_VARIABLE_BYTES:
        raise BadConfiguration(
            f"{_key(name)}: expected names and values of at most {MAX_VARIABLE_BYTES} bytes, "
            f'got {_byte_length(longest)}: "{longest[:60]}…"'
        )


def _byte_length(text: str) -> int:
    return len(text.encode())


def _key(name: str) -> str:
    return CONFIGURATION_KEYS.get(name, name)


def _select_members(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {
            key: _select_members(shape.members[key], inner)
            for key, inner in value.items()
            if key in shape.members and inner not in (None, {}, []) and inner is not False
        }
    if shape.type_name == "list":
        return [_select_members(shape.member, inner) for inner in value]
    return value


@cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, re.ASCII) if pattern else None
    except re.error:  # a pattern such as \\p{L}, which Python's re does not support
        return None


@cache
def _service_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)
