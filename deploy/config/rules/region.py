"""Checks that the image and all ARNs belong to the Region of the endpoint."""

from collections.abc import Iterator

import botocore.session
from botocore.exceptions import UnknownRegionError

from deploy.config.configuration import Configuration


def check_region(configuration: Configuration) -> Iterator[str]:
    region = configuration.region
    partition = _find_partition(region)
    host = configuration.image.partition("/")[0]
    image_region = host.split(".")[3]
    if image_region != region:
        yield (
            f"image: expected an image in {region} (the value of region), got {image_region}; "
            "push the image there, or change region"
        )
    elif host.endswith(".cn") != (partition == "aws-cn"):
        yield (
            f"image: {host} is not a registry of {region}; use the image URI printed by make push"
        )
    for key, arn in _list_arns(configuration).items():
        _, arn_partition, _, arn_region, _ = arn.split(":", 4)
        if partition and arn_partition != partition:
            yield f"{key}: expected an ARN of partition {partition}, got {arn_partition}"
        if arn_region not in ("", region):
            yield f"{key}: expected an ARN in {region} (the value of region), got {arn_region}"


def _list_arns(configuration: Configuration) -> dict[str, str]:
    """Return the ARNs of the configuration by key."""
    kms, asynchronous = configuration.kms, configuration.compute.asynchronous
    arns: dict[str, str | None] = {
        "role": configuration.role,
        "kms.artifact_key": kms.artifact_key,
        "kms.volume_key": kms.volume_key,
    }
    if asynchronous:
        arns["compute.asynchronous.success_topic"] = asynchronous.success_topic
        arns["compute.asynchronous.error_topic"] = asynchronous.error_topic
    return {key: arn for key, arn in arns.items() if arn}


def _find_partition(region: str) -> str | None:
    try:
        return str(botocore.session.get_session().get_partition_for_region(region))
    except UnknownRegionError:  # the region may be newer than this boto3
        return None
