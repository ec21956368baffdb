"""The names and tags by which what belongs to an endpoint is known."""

import uuid
from typing import Any

from deploy.config.configuration import Configuration

VARIANT = "AllTraffic"
OWNER = "xgb-endpoint:endpoint"
PREVIOUS = "xgb-endpoint:previous"
SERVING = "xgb-endpoint:serving"  # written after an update that succeeded
VERSION = "xgb-endpoint:version"
KEYS = (
    "xgb-endpoint:tags"  # which tags the file gave, so that these and no others are taken off again
)
TAGS_JOIN = " + "  # between their names
ARTIFACT = "model.tar.gz"

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


def tags_of(configuration: Configuration) -> list[dict[str, str]]:
    """Return the tags of what belongs to a version."""
    return [
        *lasting_tags_of(configuration),
        {"Key": VERSION, "Value": configuration.metadata.version},
    ]


def lasting_tags_of(configuration: Configuration) -> list[dict[str, str]]:
    """Return the user's tags, and those by which `down` knows what it may remove, of what outlasts a version."""
    tags, own = configuration.metadata.tags, {OWNER: configuration.name}
    if tags:
        own[KEYS] = TAGS_JOIN.join(sorted(tags))
    return [{"Key": key, "Value": value} for key, value in {**tags, **own}.items()]


def without_nones(parameters: Parameters) -> Parameters:
    """Return parameters without those that nobody set."""
    return {key: _without(value) for key, value in parameters.items() if value is not None}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return without_nones(value)
    return [_without(inner) for inner in value] if isinstance(value, list) else value
