"""The endpoint configs, models and S3 objects of an endpoint's releases, and their deletion."""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.actual.owned import list_owned_configs, list_owned_models, list_owned_objects
from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.naming import Parameters, artifact_prefix
from deploy.planning.call import Call


@dataclass(frozen=True, slots=True)
class StoredReleases:
    """The resources of some releases, newest first, as AWS lists them."""

    configs: list[Parameters]
    models: list[Parameters]
    objects: list[Parameters]


def list_stored_releases(aws: Aws, configuration: Configuration) -> StoredReleases:
    """List the resources of all releases of an endpoint."""
    name, bucket = configuration.name, configuration.model.bucket
    return StoredReleases(
        configs=list_owned_configs(aws, name),
        models=list_owned_models(aws, name),
        objects=list_owned_objects(aws, name, bucket, artifact_prefix(configuration)),
    )


def plan_deletion(
    configuration: Configuration, releases: StoredReleases, reason: str | None = None
) -> Iterator[Call]:
    """Plan the deletion of releases, dependents first; the default reason names the resource."""
    for config in releases.configs:
        parameters = {"EndpointConfigName": config["EndpointConfigName"]}
        why = reason or "delete the endpoint config"
        yield Call("sagemaker", "delete_endpoint_config", parameters, why)
    for model in releases.models:
        parameters = {"ModelName": model["ModelName"]}
        yield Call("sagemaker", "delete_model", parameters, reason or "delete the model")
    for item in releases.objects:
        parameters = {"Bucket": configuration.model.bucket, "Key": item["Key"]}
        yield Call("s3", "delete_object", parameters, reason or "delete the S3 object")
