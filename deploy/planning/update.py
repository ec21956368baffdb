"""What is to be done: the calls that lead from what is there to what is wanted, in order."""

from collections.abc import Iterator

from deploy.actual import Deployed
from deploy.config.naming import Parameters
from deploy.desired.guardrails import supports_guardrails
from deploy.desired.resources import Wanted
from deploy.errors import DeployError
from deploy.planning.alarms import alarm_calls
from deploy.planning.autoscaling import (
    end_scaling_calls,
    others,
    others_again_calls,
    scale_again_calls,
    scale_calls,
    unscale_call,
)
from deploy.planning.call import Call
from deploy.planning.endpoint_kind import is_for_good, verify_kind
from deploy.planning.tags import tag_calls

MIXED = "UpdateRollbackFailed"
RETYPED = "the instance type cannot change under scaling"


def calls_up(wanted: Wanted, there: Deployed) -> list[Call]:
    """Return the calls that make what is wanted of what is there; raises DeployError for an endpoint that can only be removed."""
    return [
        *_parts(wanted, there),
        *_endpoint(wanted, there),
        *_scaling(wanted, there),
        *tag_calls(wanted, there),
        *_left_over(wanted, there),
    ]


def verify_changeable(name: str, there: Deployed) -> None:
    """Raise DeployError for an endpoint that can only be removed."""
    if there.endpoint.get("EndpointStatus") == "OutOfService":
        raise DeployError(
            f"the endpoint {name} is OutOfService: it cannot be changed: python -m deploy down, then up, makes it anew"
        )


def verify_serving(wanted: Wanted, there: Deployed) -> None:
    """Raise DeployError if something else serves meanwhile."""
    if there.running != wanted.endpoint["EndpointConfigName"]:
        raise DeployError(
            f"another update took over meanwhile, as from another terminal: {there.running} serves, and nothing old was removed"
        )


def update_call(
    name: str, config: str, deployment: Parameters | None, *, retains: bool, why: str
) -> Call:
    """Return the call by which another config takes over."""
    update: Parameters = {
        "EndpointName": name,
        "EndpointConfigName": config,
        "RetainAllVariantProperties": retains,
    }
    if retains:  # all but the number of instances is to be as the config says
        update["ExcludeRetainedVariantProperties"] = [
            {"VariantPropertyType": "DataCaptureConfig"},
            {"VariantPropertyType": "DesiredWeight"},
        ]
    if deployment:
        update["DeploymentConfig"] = deployment
    return Call("sagemaker", "update_endpoint", update, why)


def is_retyped(there: Deployed, config: Parameters) -> bool:
    """Tell whether a config has another instance type than what runs, and so needs scaling off before it."""
    return bool(there.target) and there.instance_type != config["ProductionVariants"][0].get(
        "InstanceType"
    )


def _parts(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    if not there.uploaded:
        yield Call(
            "s3", "put_object", wanted.upload, "upload the artifact, by the hash of its content"
        )
    if not there.model:
        yield Call("sagemaker", "create_model", wanted.model, "image, artifact and environment")
    if not there.config:
        yield Call(
            "sagemaker", "create_endpoint_config", wanted.config, "the model, and what it runs on"
        )
    yield from alarm_calls(wanted.alarms, there, "an alarm that rolls an update back")


def _endpoint(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    name, config = wanted.endpoint["EndpointName"], wanted.endpoint["EndpointConfigName"]
    verify_changeable(name, there)
    status = there.endpoint.get("EndpointStatus")
    if status == "Failed":
        yield Call(
            "sagemaker",
            "delete_endpoint",
            {"EndpointName": name},
            "its creation failed, and only a new one can follow",
        )
    if status in (None, "Failed"):
        yield Call("sagemaker", "create_endpoint", wanted.endpoint, "start serving")
        return
    if not _updates(wanted, there):
        return
    verify_kind(name, there.running_config, wanted.config)
    if is_retyped(there, wanted.config):
        yield unscale_call(name, there, RETYPED)
    why = "take over from the old configuration, or roll back"
    if is_for_good(there.running_config, wanted.config):
        why = "take over from the old configuration, for good: AWS makes no serverless endpoint of one with instances"
    has_instances = supports_guardrails(there.running_config, wanted.config)
    retains = has_instances and (wanted.retains or bool(others(there)))
    deployment = wanted.deployment if has_instances else None
    yield update_call(name, config, deployment, retains=retains, why=why)


def _updates(wanted: Wanted, there: Deployed) -> bool:
    status = there.endpoint.get("EndpointStatus")
    return status not in (None, "Failed") and (
        there.running != wanted.endpoint["EndpointConfigName"] or status == MIXED
    )


def _scaling(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    name, anew = (
        wanted.endpoint["EndpointName"],
        _updates(wanted, there) and is_retyped(there, wanted.config),
    )
    if wanted.target:
        yield from scale_calls(wanted.target, wanted.policies, wanted.wake_alarm, there, anew=anew)
        yield from others_again_calls(there) if anew else []
    elif not anew:
        yield from end_scaling_calls(name, there)
    elif others(there):
        yield scale_again_calls(name, there)[0]
        yield from others_again_calls(there)


def _left_over(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    watching = (wanted.deployment or {}).get("AutoRollbackConfiguration", {}).get("Alarms", [])
    kept = {alarm["AlarmName"] for alarm in (*wanted.alarms, wanted.wake_alarm, *watching) if alarm}
    if names := sorted(set(there.alarms) - kept):
        yield Call(
            "cloudwatch", "delete_alarms", {"AlarmNames": names}, "the file has them no more"
        )
