"""Tags: what is put on and taken off what is there already, so that they are as the file says."""

from collections.abc import Iterator

from deploy.actual import Deployed
from deploy.config.naming import (
    PREVIOUS_CONFIG_TAG,
    SERVING_CONFIG_TAG,
    TAG_NAME_SEPARATOR,
    TAG_NAMES_TAG,
    Parameters,
)
from deploy.desired.resources import Wanted
from deploy.planning.call import Call

Tags = list[dict[str, str]]


def tag_calls(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    """Return the calls that make the tags of what is there, and stays, those of the file."""
    for arn, one, tags in (
        ("ModelArn", there.model, wanted.model["Tags"]),
        ("EndpointConfigArn", there.config, wanted.config["Tags"]),
        (
            "EndpointArn",
            {} if there.endpoint.get("EndpointStatus") == "Failed" else there.endpoint,
            _of_endpoint(wanted, there),
        ),
    ):
        if one:
            yield from _retag(
                "sagemaker", "delete_tags", "add_tags", one, {"ResourceArn": one[arn]}, tags
            )
    for alarm in (*wanted.alarms, wanted.wake_alarm):
        if alarm and (one := there.alarms.get(alarm["AlarmName"], {})):
            yield from _retag(
                "cloudwatch",
                "untag_resource",
                "tag_resource",
                one,
                {"ResourceARN": one["AlarmArn"]},
                alarm["Tags"],
            )


def serving_tags(config: str, before: str | None) -> Tags:
    """Return the tags that tell, once an update has succeeded, what serves and what rollback goes back to."""
    return [
        {"Key": SERVING_CONFIG_TAG, "Value": config},
        *([{"Key": PREVIOUS_CONFIG_TAG, "Value": before}] if before else []),
    ]


def own_tags(there: Tags, wanted: Tags) -> dict[str, str]:
    """Return the tags that a file gave what is there, or that this file has too; what others gave is theirs."""
    found, names = in_pairs(there), in_pairs(wanted).keys()
    return {
        key: value
        for key, value in found.items()
        if key in names
        or key in (TAG_NAMES_TAG, *found.get(TAG_NAMES_TAG, "").split(TAG_NAME_SEPARATOR))
    }


def in_pairs(tags: Tags) -> dict[str, str]:
    """Return tags as keys and values."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def _of_endpoint(wanted: Wanted, there: Deployed) -> Tags:
    config = wanted.endpoint["EndpointConfigName"]
    return [
        *(tag for tag in wanted.endpoint["Tags"] if tag["Key"] != SERVING_CONFIG_TAG),
        *serving_tags(config, there.before(config)),
    ]


def _retag(  # noqa: PLR0913, PLR0917
    service: str, remove: str, add: str, one: Parameters, resource: Parameters, tags: Tags
) -> Iterator[Call]:
    known, pairs = own_tags(one["Tags"], tags), in_pairs(tags)
    # First off: TAG_NAMES_TAG must know a name until its tag is gone.
    if gone := sorted(known.keys() - pairs.keys()):
        yield Call(service, remove, resource | {"TagKeys": gone}, f"without {', '.join(gone)}")
    if new := [
        {"Key": key, "Value": value} for key, value in pairs.items() if known.get(key) != value
    ]:
        yield Call(
            service, add, resource | {"Tags": new}, f"with {', '.join(tag['Key'] for tag in new)}"
        )
