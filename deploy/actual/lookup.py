"""Describe calls that return an empty result for a resource that does not exist."""

from typing import Any

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.config.naming import OWNER_TAG, Parameters
from deploy.errors import error_code, error_message

NOT_FOUND_CODES = {"404", "NoSuchKey", "NotFound", "ResourceNotFound", "ObjectNotFoundException"}
NOT_FOUND_MESSAGE = "could not find"  # SageMaker reports a ValidationException with this text


def is_not_found(error: ClientError) -> bool:
    """Return whether AWS reports that the resource does not exist."""
    return error_code(error) in NOT_FOUND_CODES or has_not_found_message(error)


def has_not_found_message(error: ClientError) -> bool:
    """Return whether SageMaker reports that the resource does not exist."""
    return NOT_FOUND_MESSAGE in error_message(error).lower()


def describe(aws: Aws, service: str, operation: str, **parameters: Any) -> Parameters:
    """Return the description of a resource, or an empty dict if it does not exist."""
    try:
        return aws.call(service, operation, **parameters)
    except ClientError as error:
        if is_not_found(error):
            return {}
        raise


def describe_model(aws: Aws, name: str) -> Parameters:
    """Return the description of a SageMaker model, or an empty dict if it does not exist."""
    return describe(aws, "sagemaker", "describe_model", ModelName=name)


def describe_config(aws: Aws, name: str) -> Parameters:
    """Return the description of an endpoint config, or an empty dict if it does not exist."""
    return describe(aws, "sagemaker", "describe_endpoint_config", EndpointConfigName=name)


def list_model_names(config: Parameters) -> list[str]:
    """Return the names of the models that an endpoint config uses."""
    return [variant["ModelName"] for variant in config.get("ProductionVariants", [])]


def add_tags(aws: Aws, arn_key: str, description: Parameters) -> Parameters:
    """Return the description of a SageMaker resource with its tags; an empty one stays empty."""
    if not description:
        return description
    response = aws.call("sagemaker", "list_tags", ResourceArn=description[arn_key])
    return description | {"Tags": response["Tags"]}


def find_scalable_target(aws: Aws, target: Parameters) -> Parameters:
    """Return the description of a scalable target, or an empty dict if it is not registered."""
    response = aws.call(
        "application-autoscaling",
        "describe_scalable_targets",
        ServiceNamespace=target["ServiceNamespace"],
        ScalableDimension=target["ScalableDimension"],
        ResourceIds=[target["ResourceId"]],
    )
    targets: list[Parameters] = response["ScalableTargets"]
    return targets[0] if targets else {}


def has_owner_tag(tags: list[dict[str, str]], endpoint_name: str) -> bool:
    """Return whether the tags say that this program created a resource for an endpoint."""
    return {"Key": OWNER_TAG, "Value": endpoint_name} in tags
