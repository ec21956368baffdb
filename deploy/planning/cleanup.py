"""Plans the deletion of old releases after an update."""

from datetime import datetime

from deploy.actual.lookup import describe_config, describe_model, list_model_names
from deploy.actual.state import ActualState
from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.naming import ARTIFACT_FILE_NAME, Parameters
from deploy.desired.release import Release
from deploy.planning.call import Call
from deploy.planning.stored_releases import StoredReleases, list_stored_releases, plan_deletion

OBSOLETE = "older than this release and not needed for a rollback"


def plan_cleanup(
    aws: Aws, configuration: Configuration, release: Release, actual: ActualState
) -> list[Call]:
    """Plan the calls that delete older releases, except the one that a rollback restores."""
    rollback_config = actual.find_rollback_config(release.config_name)
    if rollback_config in (None, release.config_name) or actual.is_in_progress:
        return []  # any config could be the one that a rollback restores
    stored = list_stored_releases(aws, configuration)
    if rollback_config not in _list_names(stored.configs):
        return []  # it was created by hand, and may use any model
    obsolete = _find_obsolete(aws, configuration, release, stored, rollback_config)
    return list(plan_deletion(configuration, obsolete, OBSOLETE))


def _find_obsolete(
    aws: Aws,
    configuration: Configuration,
    release: Release,
    stored: StoredReleases,
    rollback_config: str | None,
) -> StoredReleases:
    created_at = _find_creation_time(stored.configs, release)
    configs = [
        config
        for config in _select_older(stored.configs, created_at)
        if config["EndpointConfigName"] not in (release.config_name, rollback_config)
    ]
    remaining = _list_names(stored.configs) - _list_names(configs)
    model_names = _list_used_models(aws, release, remaining)
    keys = _list_used_keys(aws, configuration, release, stored.models, model_names)
    return StoredReleases(
        configs=configs,
        models=_select_obsolete_models(stored.models, created_at, model_names),
        objects=_select_obsolete_artifacts(stored.objects, created_at, keys),
    )


def _list_names(configs: list[Parameters]) -> set[str]:
    return {config["EndpointConfigName"] for config in configs}


def _find_creation_time(configs: list[Parameters], release: Release) -> datetime | None:
    """Return when the release's config was created, or None if it does not exist yet."""
    for config in configs:
        if config["EndpointConfigName"] == release.config_name:
            created_at: datetime = config["CreationTime"]
            return created_at
    return None


def _select_older(
    resources: list[Parameters], created_at: datetime | None, time_key: str = "CreationTime"
) -> list[Parameters]:
    """Return the resources older than the release; newer ones may belong to another run."""
    if created_at is None:
        return resources
    return [resource for resource in resources if resource[time_key] < created_at]


def _list_used_models(aws: Aws, release: Release, config_names: set[str]) -> set[str]:
    """Return the names of the models that the release and the remaining configs use."""
    model_names = {release.model_name}
    for config_name in config_names - {release.config_name}:
        model_names.update(list_model_names(describe_config(aws, config_name)))
    return model_names


def _list_used_keys(
    aws: Aws,
    configuration: Configuration,
    release: Release,
    models: list[Parameters],
    used_model_names: set[str],
) -> set[str]:
    """Return the S3 keys of the artifacts that the used models load."""
    keys = {release.upload["Key"]}
    owned_names = {model["ModelName"] for model in models}
    for model_name in (used_model_names & owned_names) - {release.model_name}:
        container = describe_model(aws, model_name).get("PrimaryContainer", {})
        url = container.get("ModelDataUrl", "")
        keys.add(url.removeprefix(f"s3://{configuration.model.bucket}/"))
    return keys


def _select_obsolete_models(
    models: list[Parameters], created_at: datetime | None, used_names: set[str]
) -> list[Parameters]:
    older = _select_older(models, created_at)
    return [model for model in older if model["ModelName"] not in used_names]


def _select_obsolete_artifacts(
    objects: list[Parameters], created_at: datetime | None, used_keys: set[str]
) -> list[Parameters]:
    older = _select_older(objects, created_at, "LastModified")
    artifacts = [item for item in older if item["Key"].endswith(f"/{ARTIFACT_FILE_NAME}")]
    return [artifact for artifact in artifacts if artifact["Key"] not in used_keys]
