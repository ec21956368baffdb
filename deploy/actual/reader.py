"""Reads the current state of an endpoint from AWS."""

from deploy.actual.lookup import (
    add_tags,
    describe,
    describe_config,
    describe_model,
    find_scalable_target,
    has_owner_tag,
    list_model_names,
)
from deploy.actual.state import ActualState
from deploy.aws import Aws
from deploy.config.naming import OWNER_TAG, Parameters
from deploy.desired.autoscaling import scalable_target_id
from deploy.desired.release import Release
from deploy.errors import DeployError


def read_actual_state(aws: Aws, name: str, release: Release | None = None) -> ActualState:
    """Read the state of an endpoint, and of a release's resources if one is given.

    Raises DeployError if another program or person created an endpoint of this name.
    """
    endpoint = _read_endpoint(aws, name)
    config: Parameters = {}
    model: Parameters = {}
    if endpoint_config_name := endpoint.get("EndpointConfigName"):
        config = describe_config(aws, endpoint_config_name)
    if model_names := list_model_names(config):
        model = describe_model(aws, model_names[0])
    target = find_scalable_target(aws, scalable_target_id(name))
    alarms, foreign_alarms = _read_alarms(aws, name)
    return ActualState(
        uploaded=release is not None and _is_uploaded(aws, release),
        model=_read_model(aws, release) if release else {},
        config=_read_config(aws, release) if release else {},
        endpoint=endpoint,
        serving_config=config,
        serving_model=model,
        alarms=alarms,
        foreign_alarms=foreign_alarms,
        target=target,
        policies=_read_policies(aws, name) if target else [],
        scheduled_actions=_read_scheduled_actions(aws, name) if target else [],
    )


def _read_endpoint(aws: Aws, name: str) -> Parameters:
    endpoint = describe(aws, "sagemaker", "describe_endpoint", EndpointName=name)
    endpoint = add_tags(aws, "EndpointArn", endpoint)
    if endpoint and not has_owner_tag(endpoint["Tags"], name):
        raise DeployError(
            f"the endpoint {name} was not created by this program "
            f"(it does not have the tag {OWNER_TAG}={name}); choose another name"
        )
    return endpoint


def _is_uploaded(aws: Aws, release: Release) -> bool:
    bucket, key = release.upload["Bucket"], release.upload["Key"]
    return bool(describe(aws, "s3", "head_object", Bucket=bucket, Key=key))


def _read_model(aws: Aws, release: Release) -> Parameters:
    return add_tags(aws, "ModelArn", describe_model(aws, release.model_name))


def _read_config(aws: Aws, release: Release) -> Parameters:
    return add_tags(aws, "EndpointConfigArn", describe_config(aws, release.config_name))


def _read_alarms(aws: Aws, name: str) -> tuple[dict[str, Parameters], frozenset[str]]:
    """Return the endpoint's alarms with tags, and the names of other alarms with its prefix."""
    owned: dict[str, Parameters] = {}
    foreign: set[str] = set()
    prefix = f"{name}-"
    for alarm in aws.paginate(
        "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix
    ):
        arn = alarm["AlarmArn"]
        tags = aws.call("cloudwatch", "list_tags_for_resource", ResourceARN=arn)["Tags"]
        if has_owner_tag(tags, name):
            owned[alarm["AlarmName"]] = alarm | {"Tags": tags}
        else:
            foreign.add(alarm["AlarmName"])
    return owned, frozenset(foreign)


def _read_policies(aws: Aws, name: str) -> list[Parameters]:
    return aws.paginate(
        "application-autoscaling",
        "describe_scaling_policies",
        "ScalingPolicies",
        **scalable_target_id(name),
    )


def _read_scheduled_actions(aws: Aws, name: str) -> list[Parameters]:
    return aws.paginate(
        "application-autoscaling",
        "describe_scheduled_actions",
        "ScheduledActions",
        **scalable_target_id(name),
    )
