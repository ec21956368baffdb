"""What is to be done: the calls that lead from what is there to what is wanted, in order."""

from collections.abc import Iterator
from typing import Any

from deploy.call import Call
from deploy.deployed import Deployed
from deploy.failures import DeployError
from deploy.naming import PREVIOUS, Parameters
from deploy.safety import has_guardrails
from deploy.scaling import TRACKING, WAKING, arn_of, scaled
from deploy.tagging import tag_calls
from deploy.wanted import Wanted

# Nothing can be changed at an endpoint in these states.
STUCK = {"UpdateRollbackFailed": "both configurations answer, or none", "OutOfService": "it cannot be changed"}
WHY = {TRACKING: "by this metric", WAKING: "from none to one"}


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
    status = there.endpoint.get("EndpointStatus")
    if status in STUCK:
        raise DeployError(f"the endpoint {name} is {status}: {STUCK[status]}: python -m deploy down, then up, makes it anew")


def alarm_calls(alarms: list[Parameters], there: Deployed) -> Iterator[Call]:
    """Return the calls that make alarms, or make them as they are wanted."""
    for alarm in alarms:
        if differs(alarm, there.alarms.get(alarm["AlarmName"], {})):
            yield Call("cloudwatch", "put_metric_alarm", alarm, "an alarm that rolls an update back")


def update_call(name: str, config: str, deployment: Parameters | None, *, retains: bool, why: str) -> Call:
    """Return the call by which another config takes over."""
    update: Parameters = {"EndpointName": name, "EndpointConfigName": config, "RetainAllVariantProperties": retains}
    if retains:  # all but the number of instances is to be as the config says
        update["ExcludeRetainedVariantProperties"] = [
            {"VariantPropertyType": "DataCaptureConfig"},
            {"VariantPropertyType": "DesiredWeight"},
        ]
    if deployment:
        update["DeploymentConfig"] = deployment
    return Call("sagemaker", "update_endpoint", update, why)


def previous_call(there: Deployed, why: str, *tags: dict[str, str]) -> Call:
    """Return the call that writes down which config serves before an update, with other tags."""
    tag = {"Key": PREVIOUS, "Value": there.endpoint["EndpointConfigName"]}
    return Call("sagemaker", "add_tags", {"ResourceArn": there.endpoint["EndpointArn"], "Tags": [tag, *tags]}, why)


def unscale_calls(name: str, there: Deployed, why: str) -> Iterator[Call]:
    """Return the calls that take scaling off."""
    for policy in there.policies:
        yield Call("application-autoscaling", "delete_scaling_policy", scaled(name) | {"PolicyName": policy["PolicyName"]}, why)
    if there.target:
        yield Call("application-autoscaling", "deregister_scalable_target", scaled(name), why)


def differs(wanted: Any, there: Any) -> bool:
    """Tell whether something is not there as it is wanted; what is there beyond that is no matter."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        return any(differs(value, there.get(key)) for key, value in wanted.items() if key != "Tags")
    return bool(wanted != there)


def _parts(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    if not there.uploaded:
        yield Call("s3", "put_object", wanted.upload, "upload the artefact, by the hash of its content")
    if not there.model:
        yield Call("sagemaker", "create_model", wanted.model, "image, artefact and environment")
    if not there.config:
        yield Call("sagemaker", "create_endpoint_config", wanted.config, "the model, and what it runs on")
    yield from alarm_calls(wanted.alarms, there)


def _endpoint(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    name, config = wanted.endpoint["EndpointName"], wanted.endpoint["EndpointConfigName"]
    verify_changeable(name, there)
    status = there.endpoint.get("EndpointStatus")
    if status == "Failed":
        yield Call("sagemaker", "delete_endpoint", {"EndpointName": name}, "its creation failed, and only a new one can follow")
    if status in (None, "Failed"):
        yield Call("sagemaker", "create_endpoint", wanted.endpoint, "start serving")
        return
    if there.endpoint["EndpointConfigName"] == config:
        return
    if there.target and there.instance_type != wanted.config["ProductionVariants"][0].get("InstanceType"):
        yield from unscale_calls(name, there, "the instance type cannot change under scaling")
    if there.previous != there.endpoint["EndpointConfigName"]:
        yield previous_call(there, "remember what rollback goes back to")
    deployment = wanted.deployment if has_guardrails(there.running_config, wanted.config) else None
    yield update_call(name, config, deployment, retains=wanted.retains, why="take over from the old configuration, or roll back")


def _scaling(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    changing = there.endpoint.get("EndpointConfigName") != wanted.endpoint["EndpointConfigName"]
    retyped = bool(there.target) and changing and there.instance_type != wanted.config["ProductionVariants"][0].get("InstanceType")
    name = wanted.endpoint["EndpointName"]
    if wanted.target is None:
        if there.target and not retyped:
            yield from unscale_calls(name, there, "the file has no scaling any more")
        return
    if retyped or differs(wanted.target, there.target):
        yield Call(
            "application-autoscaling", "register_scalable_target", wanted.target, "let the number of instances follow the load"
        )
    known = {} if retyped else {policy["PolicyName"]: policy for policy in there.policies}
    yield from _policies(wanted, there, known)


def _policies(wanted: Wanted, there: Deployed, known: dict[str, Parameters]) -> Iterator[Call]:
    arns = {arn_of(name): policy["PolicyARN"] for name, policy in known.items()}
    for policy in wanted.policies:
        name = policy["PolicyName"]
        if differs(policy, known.get(name, {})):
            arns.pop(arn_of(name), None)
            yield Call("application-autoscaling", "put_scaling_policy", policy, WHY[name])
    if alarm := wanted.wake_alarm:
        ready = alarm | {"AlarmActions": [arns.get(action, action) for action in alarm["AlarmActions"]]}
        if differs(ready, there.alarms.get(alarm["AlarmName"], {})):
            yield Call("cloudwatch", "put_metric_alarm", ready, "an alarm that starts the first instance")
    for name in sorted((WHY.keys() & known.keys()) - {policy["PolicyName"] for policy in wanted.policies}):
        parameters = scaled(wanted.endpoint["EndpointName"]) | {"PolicyName": name}
        yield Call("application-autoscaling", "delete_scaling_policy", parameters, "the file has it no more")


def _left_over(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    kept = {alarm["AlarmName"] for alarm in (*wanted.alarms, wanted.wake_alarm) if alarm}
    if names := sorted(set(there.alarms) - kept):
        yield Call("cloudwatch", "delete_alarms", {"AlarmNames": names}, "the file has them no more")
