"""Plans the calls that create an endpoint, or update it to the desired release and operations."""

from collections.abc import Iterator

from deploy.actual.state import ActualState
from deploy.config.naming import Parameters
from deploy.desired.guardrails import supports_guardrails
from deploy.desired.operations import Operations
from deploy.desired.release import Release
from deploy.errors import DeployError
from deploy.planning.alarms import ROLLBACK_ALARM, plan_alarms
from deploy.planning.autoscaling import (
    NOT_IN_FILE,
    detach_scaling,
    plan_scaling,
    plan_scaling_removal,
)
from deploy.planning.call import Call
from deploy.planning.endpoint_type import is_permanent_change, verify_endpoint_type
from deploy.planning.restoration import (
    plan_foreign_scaling_restoration,
    plan_scaling_restoration,
)
from deploy.planning.scaling_policies import list_foreign_scaling
from deploy.planning.tags import plan_tags

ROLLBACK_FAILED = "UpdateRollbackFailed"  # some instances may use the old endpoint config
DETACH_REASON = "detach scaling to change the instance type, as AWS requires"
UPDATE_REASON = "switch to the new endpoint config; on failure AWS rolls back"
PERMANENT_UPDATE_REASON = (
    "switch to the new endpoint config, permanently: "
    "AWS does not convert an endpoint with instances to serverless"
)


def plan_update(release: Release, operations: Operations, actual: ActualState) -> list[Call]:
    """Plan the calls that create the endpoint or update it.

    Raises DeployError if AWS would reject the update, or if an alarm that it would create or
    change already exists and was not created by this program.
    """
    return [
        *_plan_release(release, actual),
        *plan_alarms(operations.alarms, actual, ROLLBACK_ALARM),
        *_plan_endpoint(release, operations, actual),
        *_plan_scaling(release, operations, actual),
        *plan_tags(release, operations, actual),
        *_plan_alarm_deletion(operations, actual),
    ]


def verify_changeable(name: str, actual: ActualState) -> None:
    """Raise DeployError if the endpoint can only be deleted."""
    if actual.status == "OutOfService":
        raise DeployError(
            f"the endpoint {name} is OutOfService and cannot be updated; "
            "run python -m deploy down, then up, to recreate it"
        )


def verify_serving(release: Release, actual: ActualState) -> None:
    """Raise DeployError if another update replaced this release in the meantime."""
    if actual.serving_config_name != release.config_name:
        raise DeployError(
            "another update replaced this one: the endpoint now uses "
            f"{actual.serving_config_name}; no old resources were deleted"
        )


def build_update_call(
    name: str,
    config_name: str,
    deployment: Parameters | None,
    *,
    keep_instance_count: bool,
    reason: str,
) -> Call:
    """Build the call that switches the endpoint to another endpoint config."""
    parameters: Parameters = {
        "EndpointName": name,
        "EndpointConfigName": config_name,
        "RetainAllVariantProperties": keep_instance_count,
    }
    if keep_instance_count:
        # Everything except the number of instances comes from the endpoint config.
        parameters["ExcludeRetainedVariantProperties"] = [
            {"VariantPropertyType": "DataCaptureConfig"},
            {"VariantPropertyType": "DesiredWeight"},
        ]
    if deployment:
        parameters["DeploymentConfig"] = deployment
    return Call("sagemaker", "update_endpoint", parameters, reason)


def must_detach_scaling(actual: ActualState, config: Parameters) -> bool:
    """Return whether a config changes the instance type of an endpoint with scaling."""
    instance_type = config["ProductionVariants"][0].get("InstanceType")
    return bool(actual.target) and actual.instance_type != instance_type


def _plan_release(release: Release, actual: ActualState) -> Iterator[Call]:
    if not actual.uploaded:
        reason = "the bucket does not contain this artifact"
        yield Call("s3", "put_object", release.upload, reason)
    if not actual.model:
        reason = "no model has this image, artifact and environment"
        yield Call("sagemaker", "create_model", release.model, reason)
    if not actual.config:
        reason = "no endpoint config has this model and compute"
        yield Call("sagemaker", "create_endpoint_config", release.config, reason)


def _plan_endpoint(release: Release, operations: Operations, actual: ActualState) -> Iterator[Call]:
    name = release.endpoint_name
    verify_changeable(name, actual)
    if actual.status == "Failed":
        reason = "its creation failed, so it must be recreated"
        yield Call("sagemaker", "delete_endpoint", {"EndpointName": name}, reason)
    if not _can_be_updated(actual):
        yield Call("sagemaker", "create_endpoint", release.endpoint, "start serving")
    elif _needs_update(release, actual):
        yield from _plan_config_switch(release, operations, actual)


def _plan_config_switch(
    release: Release, operations: Operations, actual: ActualState
) -> Iterator[Call]:
    name = release.endpoint_name
    verify_endpoint_type(name, actual.serving_config, release.config)
    if must_detach_scaling(actual, release.config):
        yield detach_scaling(name, actual, DETACH_REASON)
    has_instances = supports_guardrails(actual.serving_config, release.config)
    has_scaling = operations.target is not None or bool(list_foreign_scaling(actual))
    is_permanent = is_permanent_change(actual.serving_config, release.config)
    yield build_update_call(
        name,
        release.config_name,
        operations.deployment if has_instances else None,
        keep_instance_count=has_instances and has_scaling,
        reason=PERMANENT_UPDATE_REASON if is_permanent else UPDATE_REASON,
    )


def _can_be_updated(actual: ActualState) -> bool:
    """Return whether the endpoint exists and was created successfully."""
    return actual.status not in (None, "Failed")


def _needs_update(release: Release, actual: ActualState) -> bool:
    if not _can_be_updated(actual):
        return False
    is_current = actual.serving_config_name == release.config_name
    return not is_current or actual.status == ROLLBACK_FAILED


def _plan_scaling(release: Release, operations: Operations, actual: ActualState) -> Iterator[Call]:
    name = release.endpoint_name
    needs_update = _needs_update(release, actual)
    was_detached = needs_update and must_detach_scaling(actual, release.config)
    if operations.target:
        yield from plan_scaling(operations.target, operations, actual, reattach=was_detached)
        if was_detached:
            yield from plan_foreign_scaling_restoration(actual)
    elif not was_detached:
        yield from plan_scaling_removal(name, actual)
    elif list_foreign_scaling(actual):
        register_target = plan_scaling_restoration(name, actual)[0]
        yield register_target
        yield from plan_foreign_scaling_restoration(actual)


def _plan_alarm_deletion(operations: Operations, actual: ActualState) -> Iterator[Call]:
    desired = {alarm["AlarmName"] for alarm in operations.created_alarms}
    desired.update(operations.guarding_alarm_names)
    if obsolete := sorted(set(actual.alarms) - desired):
        yield Call("cloudwatch", "delete_alarms", {"AlarmNames": obsolete}, NOT_IN_FILE)
