"""The names and tags by which what belongs to an endpoint is known."""

import uuid
from typing import Any

from deploy.config.configuration import Configuration

VARIANT_NAME = "AllTraffic"
OWNER_TAG = "xgb-endpoint:endpoint"
PREVIOUS_CONFIG_TAG = "xgb-endpoint:previous"
SERVING_CONFIG_TAG = "xgb-endpoint:serving"  # written after an update that succeeded
VERSION_TAG = "xgb-endpoint:version"
TAG_NAMES_TAG = (
    "xgb-endpoint:tags"  # which tags the file gave, so that these and no others are taken off again
)
TAG_NAME_SEPARATOR = " + "  # between their names
ARTIFACT_FILE_NAME = "model.tar.gz"

Parameters = dict[str, Any]


def artifact_prefix(configuration: Configuration) -> str:
    """Return what the keys of all that is put into S3 for an endpoint begin with.

    The account is in it, since several may share a bucket, and each removes what is its own.
    """
    account = configuration.role.split(":")[4]
    return f"{configuration.model.prefix.strip('/')}/{account}/{configuration.name}/"


def payload_key(configuration: Configuration, name: str | None = None) -> str:
    """Return a key for a payload, where the execution role may read and ``down`` looks."""
    return f"{artifact_prefix(configuration)}payloads/{name or uuid.uuid4().hex}"


def build_versioned_tags(configuration: Configuration) -> list[dict[str, str]]:
    """Return the tags of what belongs to a version."""
    return [
        *build_tags(configuration),
        {"Key": VERSION_TAG, "Value": configuration.metadata.version},
    ]


def build_tags(configuration: Configuration) -> list[dict[str, str]]:
    """Return the user's tags, and those by which `down` knows what it may remove, of what outlasts a version."""
    tags, own = configuration.metadata.tags, {OWNER_TAG: configuration.name}
    if tags:
        own[TAG_NAMES_TAG] = TAG_NAME_SEPARATOR.join(sorted(tags))
    return [{"Key": key, "Value": value} for key, value in {**tags, **own}.items()]


def drop_none(parameters: Parameters) -> Parameters:
    """Return parameters without those that nobody set."""
    return {key: _without(value) for key, value in parameters.items() if value is not None}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return drop_none(value)
    return [_without(inner) for inner in value] if isinstance(value, list) else value
