"""Plans a rollback to an earlier endpoint config, with the file's update strategy and alarms."""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.actual.lookup import add_tags
from deploy.actual.owned import list_owned_configs
from deploy.actual.reader import read_actual_state
from deploy.actual.state import ActualState
from deploy.aws import Aws
from deploy.config.naming import VERSION_TAG, Parameters
from deploy.desired.guardrails import supports_guardrails
from deploy.desired.operations import Operations
from deploy.errors import DeployError
from deploy.planning.alarms import ROLLBACK_ALARM, find_unusable_alarms, plan_alarms
from deploy.planning.autoscaling import detach_scaling, plan_scaling
from deploy.planning.call import Call
from deploy.planning.endpoint_type import verify_endpoint_type
from deploy.planning.restoration import plan_scaling_restoration
from deploy.planning.tags import build_serving_tags
from deploy.planning.update import (
    DETACH_REASON,
    ROLLBACK_FAILED,
    build_update_call,
    must_detach_scaling,
    verify_changeable,
)


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """The endpoint configs before and after a rollback, its calls and the warnings about it."""

    serving_config_name: str
    config_name: str
    calls: list[Call]
    warnings: list[str]


def plan_rollback(
    aws: Aws, name: str, operations: Operations, requested_config_name: str | None
) -> RollbackPlan:
    """Plan a rollback to the requested endpoint config, or to the previous one.

    Raises DeployError if there is no such config, or if the endpoint cannot be updated now.
    """
    actual = read_actual_state(aws, name)
    _verify_can_roll_back(name, actual)
    if requested_config_name is None and _needs_only_recording(actual):
        config = _read_config(aws, str(actual.serving_config_name))
        return _plan_completion(name, operations, actual, config)
    config = _read_config(aws, _select_config_name(aws, name, actual, requested_config_name))
    verify_endpoint_type(name, actual.serving_config, config)
    has_instances = supports_guardrails(actual.serving_config, config)
    unusable_alarms = find_unusable_alarms(aws, operations) if has_instances else {}
    return _plan_switch(name, operations, actual, config, unusable_alarms)


def _verify_can_roll_back(name: str, actual: ActualState) -> None:
    if actual.status in (None, "Failed"):
        raise DeployError(f"no endpoint {name} to roll back; create it with python -m deploy up")
    if actual.is_in_progress:
        raise DeployError(
            f"the endpoint {name} is {actual.status}, and AWS rejects updates until that has "
            "finished; run rollback again when python -m deploy status reports InService"
        )
    verify_changeable(name, actual)


def _needs_only_recording(actual: ActualState) -> bool:
    return actual.has_unrecorded_rollback and actual.status != ROLLBACK_FAILED


def _read_config(aws: Aws, config_name: str) -> Parameters:
    config = aws.call("sagemaker", "describe_endpoint_config", EndpointConfigName=config_name)
    return add_tags(aws, "EndpointConfigArn", config)


def _select_config_name(aws: Aws, name: str, actual: ActualState, requested: str | None) -> str:
    may_serve_both = actual.status == ROLLBACK_FAILED
    default = actual.recorded_config_name if may_serve_both else actual.previous_config_name
    config_name = requested or default
    owned = {config["EndpointConfigName"] for config in list_owned_configs(aws, name)}
    others = ", ".join(sorted(owned - {actual.serving_config_name}))
    hint = f"select one with --to: {others}"
    if not others:
        hint = "no other endpoint config exists to roll back to"
    if config_name == actual.serving_config_name and not may_serve_both:
        raise DeployError(f"{name} is already in service with {config_name}; {hint}")
    if config_name is None:
        raise DeployError(f"{name} has no previous endpoint config; {hint}")
    # The previous config may have been created by hand.
    if config_name not in owned and config_name != actual.previous_config_name:
        raise DeployError(f"{config_name} is not an existing endpoint config of {name}; {hint}")
    return config_name


def _plan_completion(
    name: str, operations: Operations, actual: ActualState, config: Parameters
) -> RollbackPlan:
    """Plan the remaining calls of a rollback that was interrupted after its update."""
    config_name = config["EndpointConfigName"]
    calls = [
        *_plan_scaling(name, operations, actual, config, was_detached=False),
        _record_rollback(actual, config),
    ]
    notice = f"the endpoint already uses {config_name}; completing an interrupted rollback"
    warnings = [notice, *_list_scaling_warnings(operations, actual, config)]
    return RollbackPlan(config_name, config_name, calls, warnings)


def _plan_switch(
    name: str,
    operations: Operations,
    actual: ActualState,
    config: Parameters,
    unusable_alarms: dict[str, str],
) -> RollbackPlan:
    calls = _plan_switch_calls(name, operations, actual, config, unusable_alarms)
    warnings = [
        f"the alarm {alarm} {problem}, so it cannot guard this rollback"
        for alarm, problem in unusable_alarms.items()
    ]
    return RollbackPlan(
        str(actual.serving_config_name),
        config["EndpointConfigName"],
        list(calls),
        warnings + _list_scaling_warnings(operations, actual, config),
    )


def _plan_switch_calls(
    name: str,
    operations: Operations,
    actual: ActualState,
    config: Parameters,
    unusable_alarms: dict[str, str],
) -> Iterator[Call]:
    config_name = config["EndpointConfigName"]
    has_instances = supports_guardrails(actual.serving_config, config)
    # An alarm in ALARM state is often why a user rolls back. It would also roll the rollback back.
    deployment = operations.exclude_alarms(unusable_alarms) if has_instances else None
    if deployment:
        yield from _plan_own_alarms(operations, actual)
    must_detach = must_detach_scaling(actual, config)
    if must_detach:
        yield detach_scaling(name, actual, DETACH_REASON)
    # If an interrupted run detached scaling, the number of instances was set by scaling as well.
    has_scaling = bool(actual.target or operations.target)
    yield build_update_call(
        name,
        config_name,
        deployment,
        keep_instance_count=has_instances and has_scaling,
        reason=f"roll back to {config_name}",
    )
    yield from _plan_scaling(name, operations, actual, config, was_detached=must_detach)
    yield _record_rollback(actual, config)


def _plan_own_alarms(operations: Operations, actual: ActualState) -> Iterator[Call]:
    # An alarm of the same name that this program did not create never blocks a rollback: it is
    # used as it is.
    alarms = [
        alarm for alarm in operations.alarms if alarm["AlarmName"] not in actual.foreign_alarms
    ]
    return plan_alarms(alarms, actual, ROLLBACK_ALARM)


def _plan_scaling(
    name: str,
    operations: Operations,
    actual: ActualState,
    config: Parameters,
    *,
    was_detached: bool,
) -> Iterator[Call]:
    if not supports_guardrails(config):
        return
    if was_detached:
        yield from plan_scaling_restoration(name, actual)
    elif operations.target and not actual.target:
        yield from plan_scaling(operations.target, operations, actual, reattach=True)


def _list_scaling_warnings(
    operations: Operations, actual: ActualState, config: Parameters
) -> list[str]:
    if actual.target or not supports_guardrails(config):
        return []
    if operations.target:
        return ["scaling is not attached: this rollback attaches it as the file configures it"]
    if supports_guardrails(actual.serving_config):
        return []
    return ["the file does not configure scaling, so the number of instances is fixed"]


def _record_rollback(actual: ActualState, config: Parameters) -> Call:
    config_name = config["EndpointConfigName"]
    tags = build_serving_tags(config_name, actual.find_rollback_config(config_name))
    tags += [tag for tag in config["Tags"] if tag["Key"] == VERSION_TAG]
    parameters = {"ResourceArn": actual.endpoint["EndpointArn"], "Tags": tags}
    return Call("sagemaker", "add_tags", parameters, "record the current and the previous config")
