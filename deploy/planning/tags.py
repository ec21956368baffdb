"""Plans tag changes of existing resources, and the tags that record the config in use."""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.actual.state import ActualState
from deploy.config.naming import (
    PREVIOUS_CONFIG_TAG,
    SERVING_CONFIG_TAG,
    TAG_NAME_SEPARATOR,
    TAG_NAMES_TAG,
    Parameters,
)
from deploy.desired.operations import Operations
from deploy.desired.release import Release
from deploy.planning.call import Call

Tags = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class _TagApi:
    """The names of the tag operations of one AWS service."""

    service: str
    add: str
    remove: str
    arn_key: str


SAGEMAKER = _TagApi("sagemaker", "add_tags", "delete_tags", "ResourceArn")
CLOUDWATCH = _TagApi("cloudwatch", "tag_resource", "untag_resource", "ResourceARN")


def plan_tags(release: Release, operations: Operations, actual: ActualState) -> Iterator[Call]:
    """Plan the calls that give existing resources the tags of the file."""
    if actual.model:
        arn = actual.model["ModelArn"]
        yield from _plan_changes(SAGEMAKER, arn, actual.model["Tags"], release.model["Tags"])
    if actual.config:
        arn = actual.config["EndpointConfigArn"]
        yield from _plan_changes(SAGEMAKER, arn, actual.config["Tags"], release.config["Tags"])
    if actual.endpoint and actual.status != "Failed":  # a failed endpoint is replaced
        arn, tags = actual.endpoint["EndpointArn"], _build_endpoint_tags(release, actual)
        yield from _plan_changes(SAGEMAKER, arn, actual.endpoint["Tags"], tags)
    for alarm in operations.created_alarms:
        if existing := actual.alarms.get(alarm["AlarmName"]):
            arn = existing["AlarmArn"]
            yield from _plan_changes(CLOUDWATCH, arn, existing["Tags"], alarm["Tags"])


def build_serving_tags(config_name: str, previous_config_name: str | None) -> Tags:
    """Build the tags that record, after an update, the config in use and the previous one."""
    tags = [{"Key": SERVING_CONFIG_TAG, "Value": config_name}]
    if previous_config_name:
        tags.append({"Key": PREVIOUS_CONFIG_TAG, "Value": previous_config_name})
    return tags


def select_own_tags(actual: Tags, desired: Tags) -> dict[str, str]:
    """Return the tags that this file or an earlier version of it set; ignores all other tags."""
    pairs = to_pairs(actual)
    own_names = set(pairs.get(TAG_NAMES_TAG, "").split(TAG_NAME_SEPARATOR))
    own_names |= to_pairs(desired).keys() | {TAG_NAMES_TAG}
    return {name: value for name, value in pairs.items() if name in own_names}


def to_pairs(tags: Tags) -> dict[str, str]:
    """Convert AWS's list of tags to a dict."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def _build_endpoint_tags(release: Release, actual: ActualState) -> Tags:
    tags = [tag for tag in release.endpoint["Tags"] if tag["Key"] != SERVING_CONFIG_TAG]
    previous = actual.find_rollback_config(release.config_name)
    return tags + build_serving_tags(release.config_name, previous)


def _plan_changes(api: _TagApi, arn: str, actual: Tags, desired: Tags) -> Iterator[Call]:
    current, target = select_own_tags(actual, desired), to_pairs(desired)
    # Remove first: TAG_NAMES_TAG must list a tag until it is removed.
    parameters: Parameters
    if removed := sorted(current.keys() - target.keys()):
        parameters = {api.arn_key: arn, "TagKeys": removed}
        yield Call(api.service, api.remove, parameters, f"remove {', '.join(removed)}")
    changed = {name: value for name, value in target.items() if current.get(name) != value}
    if changed:
        tags = [{"Key": name, "Value": value} for name, value in changed.items()]
        parameters = {api.arn_key: arn, "Tags": tags}
        yield Call(api.service, api.add, parameters, f"set {', '.join(changed)}")
