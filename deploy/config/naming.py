"""Names, key prefixes and tags that identify the resources of an endpoint."""

import uuid
from typing import Any

from deploy.config.configuration import Configuration

VARIANT_NAME = "AllTraffic"
OWNER_TAG = "xgb-endpoint:endpoint"
PREVIOUS_CONFIG_TAG = "xgb-endpoint:previous"
SERVING_CONFIG_TAG = "xgb-endpoint:serving"  # written only after an update has succeeded
VERSION_TAG = "xgb-endpoint:version"
TAG_NAMES_TAG = "xgb-endpoint:tags"  # names of the file's tags: only these are ever removed
TAG_NAME_SEPARATOR = " + "
ARTIFACT_FILE_NAME = "model.tar.gz"

Parameters = dict[str, Any]
Tags = list[dict[str, str]]


def artifact_prefix(configuration: Configuration) -> str:
    """Return the key prefix of all S3 objects of an endpoint.

    It contains the account ID, because several accounts may share a bucket.
    """
    account = configuration.role.split(":")[4]
    return f"{configuration.model.prefix.strip('/')}/{account}/{configuration.name}/"


def payload_key(configuration: Configuration, name: str | None = None) -> str:
    """Return an S3 key for an asynchronous payload, by default with a random name.

    The execution role may read it, and ``down`` removes it.
    """
    return f"{artifact_prefix(configuration)}payloads/{name or uuid.uuid4().hex}"


def build_versioned_tags(configuration: Configuration) -> Tags:
    """Return the tags of a model, endpoint config or endpoint."""
    return [
        *build_tags(configuration),
        {"Key": VERSION_TAG, "Value": configuration.metadata.version},
    ]


def build_tags(configuration: Configuration) -> Tags:
    """Return the tags of a resource that outlasts a version, such as an alarm.

    They are the file's tags, and those by which ``down`` finds the endpoint's resources.
    """
    tags = dict(configuration.metadata.tags)
    names = TAG_NAME_SEPARATOR.join(sorted(tags))
    tags[OWNER_TAG] = configuration.name
    if names:
        tags[TAG_NAMES_TAG] = names
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def drop_none(parameters: Parameters) -> Parameters:
    """Return the parameters without those that are None, at any depth."""
    return {key: _drop_inner(value) for key, value in parameters.items() if value is not None}


def _drop_inner(value: Any) -> Any:
    if isinstance(value, dict):
        return drop_none(value)
    if isinstance(value, list):
        return [_drop_inner(element) for element in value]
    return value
