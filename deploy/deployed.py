"""What is there already of an endpoint."""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.failures import DeployError, code_of, message_of
from deploy.naming import OWNER, PREVIOUS, Parameters
from deploy.scaling import scaled
from deploy.wanted import Wanted

ABSENT = {"404", "NoSuchKey", "NotFound", "ResourceNotFound", "ObjectNotFoundException"}
UNDER_WAY = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


@dataclass(frozen=True, slots=True)
class Deployed:
    """What AWS says is there, in the words of its describing calls and with its tags; what is not there is empty."""

    uploaded: bool = False
    model: Parameters = field(default_factory=dict)
    config: Parameters = field(default_factory=dict)
    endpoint: Parameters = field(default_factory=dict)
    running_config: Parameters = field(default_factory=dict)
    running_model: Parameters = field(default_factory=dict)
    alarms: dict[str, Parameters] = field(default_factory=dict)
    target: Parameters = field(default_factory=dict)
    policies: list[Parameters] = field(default_factory=list)
    previous: str | None = None

    @property
    def is_under_way(self) -> bool:
        """Tell whether AWS is changing the endpoint, and takes no other change meanwhile."""
        return self.endpoint.get("EndpointStatus") in UNDER_WAY

    @property
    def instance_type(self) -> str | None:
        variants: list[Parameters] = self.running_config.get("ProductionVariants", [])
        return variants[0].get("InstanceType") if variants else None


def deployed(aws: Aws, name: str, wanted: Wanted | None = None) -> Deployed:
    """Ask what is there; raises DeployError for an endpoint of this name that is not this program's."""
    endpoint = tagged(aws, "EndpointArn", _found(aws, "sagemaker", "describe_endpoint", EndpointName=name))
    tags = {tag["Key"]: tag["Value"] for tag in endpoint.get("Tags", [])}
    if endpoint and tags.get(OWNER) != name:
        raise DeployError(f"the endpoint {name} was not made by this program (it has no tag {OWNER}={name}): choose another name")
    running = _found(aws, "sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.get("EndpointConfigName"))
    models = [variant["ModelName"] for variant in running.get("ProductionVariants", [])]
    model, config = (wanted.model["ModelName"], wanted.endpoint["EndpointConfigName"]) if wanted else (None, None)
    targets = aws.call("application-autoscaling", "describe_scalable_targets", **_resources(name))["ScalableTargets"]
    return Deployed(
        uploaded=bool(wanted and _found(aws, "s3", "head_object", Bucket=wanted.upload["Bucket"], Key=wanted.upload["Key"])),
        model=tagged(aws, "ModelArn", _found(aws, "sagemaker", "describe_model", ModelName=model)),
        config=tagged(aws, "EndpointConfigArn", _found(aws, "sagemaker", "describe_endpoint_config", EndpointConfigName=config)),
        endpoint=endpoint,
        running_config=running,
        running_model=_found(aws, "sagemaker", "describe_model", ModelName=models[0]) if models else {},
        alarms={alarm["AlarmName"]: alarm for alarm in own_alarms(aws, name)},
        target=targets[0] if targets else {},
        policies=aws.call("application-autoscaling", "describe_scaling_policies", **scaled(name))["ScalingPolicies"]
        if targets
        else [],
        previous=tags.get(PREVIOUS),
    )


def tagged(aws: Aws, arn: str, one: Parameters) -> Parameters:
    """Return something of SageMaker's with its tags; ``arn`` is the key of its ARN."""
    return one | {"Tags": aws.call("sagemaker", "list_tags", ResourceArn=one[arn])["Tags"]} if one else one


def own_alarms(aws: Aws, name: str) -> list[Parameters]:
    """Return the alarms that were made for an endpoint, with their tags."""
    found = []
    for alarm in aws.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{name}-"):
        tags = aws.call("cloudwatch", "list_tags_for_resource", ResourceARN=alarm["AlarmArn"])["Tags"]
        if {"Key": OWNER, "Value": name} in tags:
            found.append(alarm | {"Tags": tags})
    return found


def own(aws: Aws, name: str, kind: str) -> list[Parameters]:
    """Return the models or endpoint configs that were made for an endpoint, newest first; ``kind`` is Model or EndpointConfig."""
    operation = {"Model": "list_models", "EndpointConfig": "list_endpoint_configs"}[kind]
    found = aws.pages("sagemaker", operation, f"{kind}s", NameContains=f"{name}-", SortBy="CreationTime", SortOrder="Descending")
    mine = [one for one in found if one[f"{kind}Name"].startswith(f"{name}-")]
    return [one for one in mine if {"Key": OWNER, "Value": name} in tagged(aws, f"{kind}Arn", one)["Tags"]]


def own_objects(aws: Aws, name: str, bucket: str, prefix: str) -> list[str]:
    """Return the keys under a prefix of what was uploaded for an endpoint."""
    try:
        found = aws.pages("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return []
        raise
    tagged = [(one["Key"], aws.call("s3", "get_object_tagging", Bucket=bucket, Key=one["Key"])["TagSet"]) for one in found]
    return [key for key, tags in tagged if {"Key": OWNER, "Value": name} in tags]


def _resources(name: str) -> Parameters:
    words = scaled(name)
    return {**{key: words[key] for key in ("ServiceNamespace", "ScalableDimension")}, "ResourceIds": [words["ResourceId"]]}


def _found(aws: Aws, service: str, operation: str, **parameters: Any) -> Parameters:
    if None in parameters.values():
        return {}
    try:
        return aws.call(service, operation, **parameters)
    except ClientError as error:
        if code_of(error) in ABSENT or "could not find" in message_of(error).lower():
            return {}
        raise
