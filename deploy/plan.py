"""What is to be done: the calls that lead from what is there to what is wanted, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.deployed import Deployed
from deploy.failures import DeployError
from deploy.naming import PREVIOUS, Parameters
from deploy.scaling import scaled
from deploy.wanted import Wanted

# Nothing can be changed at an endpoint in these states.
STUCK = {"UpdateRollbackFailed": "both configurations answer, or none", "OutOfService": "it cannot be changed"}

# The parameters that name what a call is about; the first that is there does.
NAMED_BY = (
    "PolicyName", "AlarmName", "AlarmNames", "Key", "ResourceId", "EndpointName", "EndpointConfigName", "ModelName", "ResourceArn",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A call of AWS, by boto3's names, and why it is made."""

    service: str
    operation: str
    parameters: Parameters
    why: str

    @property
    def subject(self) -> str:
        """Return the name of what the call makes, changes or removes."""
        name = next(self.parameters[key] for key in NAMED_BY if key in self.parameters)
        return ", ".join(name) if isinstance(name, list) else str(name).rpartition(":")[2]


def calls_up(wanted: Wanted, there: Deployed) -> list[Call]:
    """Return the calls that make what is wanted of what is there; raises DeployError for an endpoint that can only be removed."""
    return [*_parts(wanted, there), *_endpoint(wanted, there), *_scaling(wanted, there), *_left_over(wanted, there)]


def calls_rollback(name: str, there: Deployed, wanted_config: str, instance_type: str | None) -> list[Call]:
    """Return the calls that take an endpoint back to a configuration that it had."""
    update = {"EndpointName": name, "EndpointConfigName": wanted_config, "RetainAllVariantProperties": bool(there.target)}
    calls = [
        Call("sagemaker", "add_tags", _previous(there), "remember what is left"),
        Call("sagemaker", "update_endpoint", update, f"go back to {wanted_config}"),
    ]
    if not there.target or instance_type == there.instance_type:
        return calls
    bounds = {key: there.target[key] for key in ("MinCapacity", "MaxCapacity")}
    again = [Call("application-autoscaling", "register_scalable_target", scaled(name) | bounds, "scale again")]
    for policy in there.policies:
        kept = {key: policy[key] for key in ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")}
        again.append(Call("application-autoscaling", "put_scaling_policy", scaled(name) | kept, "by the metric as before"))
    return [*_unscale(name, there, "the instance type cannot change under scaling"), *calls, *again]


def _parts(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    if not there.uploaded:
        yield Call("s3", "put_object", wanted.upload, "upload the artefact, by the hash of its content")
    if not there.model:
        yield Call("sagemaker", "create_model", wanted.model, "image, artefact and environment")
    if not there.config:
        yield Call("sagemaker", "create_endpoint_config", wanted.config, "the model, and what it runs on")
    for alarm in wanted.alarms:
        if _differs(alarm, there.alarms.get(alarm["AlarmName"], {})):
            yield Call("cloudwatch", "put_metric_alarm", alarm, "an alarm that rolls an update back")


def _endpoint(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    name, config = wanted.endpoint["EndpointName"], wanted.endpoint["EndpointConfigName"]
    status = there.endpoint.get("EndpointStatus")
    if status in STUCK:
        raise DeployError(f"the endpoint {name} is {status}: {STUCK[status]}: python -m deploy down, then up, makes it anew")
    if status == "Failed":
        yield Call("sagemaker", "delete_endpoint", {"EndpointName": name}, "its creation failed, and only a new one can follow")
    if status in (None, "Failed"):
        yield Call("sagemaker", "create_endpoint", wanted.endpoint, "start serving")
        return
    if there.endpoint["EndpointConfigName"] == config:
        return
    if there.target and there.instance_type != wanted.config["ProductionVariants"][0].get("InstanceType"):
        yield from _unscale(name, there, "the instance type cannot change under scaling")
    if there.previous != there.endpoint["EndpointConfigName"]:
        yield Call("sagemaker", "add_tags", _previous(there), "remember what rollback goes back to")
    update: Parameters = {"EndpointName": name, "EndpointConfigName": config, "RetainAllVariantProperties": wanted.retains}
    if wanted.retains:  # all but the number of instances is to be as the file says
        update["ExcludeRetainedVariantProperties"] = [
            {"VariantPropertyType": "DataCaptureConfig"},
            {"VariantPropertyType": "DesiredWeight"},
        ]
    if wanted.deployment:
        update["DeploymentConfig"] = wanted.deployment
    yield Call("sagemaker", "update_endpoint", update, "take over from the old configuration, or roll back")


def _scaling(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    changing = there.endpoint.get("EndpointConfigName") != wanted.endpoint["EndpointConfigName"]
    retyped = bool(there.target) and changing and there.instance_type != wanted.config["ProductionVariants"][0].get("InstanceType")
    if wanted.target is None or wanted.policy is None:
        if there.target and not retyped:
            yield from _unscale(wanted.endpoint["EndpointName"], there, "the file has no scaling any more")
        return
    if retyped or _differs(wanted.target, there.target):
        yield Call(
            "application-autoscaling", "register_scalable_target", wanted.target, "let the number of instances follow the load"
        )
    known = next((policy for policy in there.policies if policy["PolicyName"] == wanted.policy["PolicyName"]), {})
    if retyped or _differs(wanted.policy, known):
        yield Call("application-autoscaling", "put_scaling_policy", wanted.policy, "by this metric")


def _left_over(wanted: Wanted, there: Deployed) -> Iterator[Call]:
    if names := sorted(set(there.alarms) - {alarm["AlarmName"] for alarm in wanted.alarms}):
        yield Call("cloudwatch", "delete_alarms", {"AlarmNames": names}, "the file has them no more")


def _unscale(name: str, there: Deployed, why: str) -> Iterator[Call]:
    for policy in there.policies:
        yield Call("application-autoscaling", "delete_scaling_policy", scaled(name) | {"PolicyName": policy["PolicyName"]}, why)
    if there.target:
        yield Call("application-autoscaling", "deregister_scalable_target", scaled(name), why)


def _previous(there: Deployed) -> Parameters:
    tag = {"Key": PREVIOUS, "Value": there.endpoint["EndpointConfigName"]}
    return {"ResourceArn": there.endpoint["EndpointArn"], "Tags": [tag]}


def calls_down(name: str, there: Deployed, configs: list[str], models: list[str], objects: list[tuple[str, str]]) -> list[Call]:
    """Return the calls that remove all that was made, each before what it depends on; ``objects`` are buckets and keys."""
    calls = list(_unscale(name, there, "scaling"))
    if there.alarms:
        calls.append(Call("cloudwatch", "delete_alarms", {"AlarmNames": sorted(there.alarms)}, "alarms"))
    if there.endpoint:
        calls.append(Call("sagemaker", "delete_endpoint", {"EndpointName": name}, "the endpoint"))
    calls += [Call("sagemaker", "delete_endpoint_config", {"EndpointConfigName": config}, "a configuration") for config in configs]
    calls += [Call("sagemaker", "delete_model", {"ModelName": model}, "a model") for model in models]
    return calls + [Call("s3", "delete_object", {"Bucket": bucket, "Key": key}, "an artefact") for bucket, key in objects]


def _differs(wanted: Any, there: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(there, dict):
        return any(_differs(value, there.get(key)) for key, value in wanted.items() if key != "Tags")
    return bool(wanted != there)
