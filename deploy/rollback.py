"""The way back to a config that the endpoint had, in the steps and under the alarms that the file wants for any update."""

from dataclasses import dataclass

from deploy.aws import Aws
from deploy.call import Call
from deploy.configuration import Configuration
from deploy.deployed import Deployed, deployed, own, tagged
from deploy.failures import DeployError
from deploy.naming import VERSION, Parameters
from deploy.plan import alarm_calls, previous_call, unscale_calls, update_call, verify_changeable
from deploy.safety import alarms_of, deployment_of, has_guardrails
from deploy.scaling import arn_of, scaled
from deploy.shapes import submitted


@dataclass(frozen=True, slots=True)
class WayBack:
    """The config that serves now and the one to go back to, the calls that lead there, and the alarms that cannot watch them."""

    running: str
    config: str
    calls: list[Call]
    ringing: list[str]


def way_back(aws: Aws, configuration: Configuration, to: str | None) -> WayBack:
    """Find the way back to a config, or to the one before; raises DeployError where there is none."""
    name = configuration.name
    there = deployed(aws, name)
    _verify_free(name, there)
    config = _chosen(aws, name, there, to)
    described = tagged(aws, "EndpointConfigArn", aws.call("sagemaker", "describe_endpoint_config", EndpointConfigName=config))
    alarms, ringing, deployment = alarms_of(configuration), list[str](), None
    if has_guardrails(there.running_config, described):
        ringing = _ringing(aws, alarms, configuration)
        deployment = deployment_of(configuration, alarms, ringing)
    calls = [
        *(alarm_calls(alarms, there) if deployment else []),
        update_call(name, config, deployment, retains=bool(there.target), why=f"go back to {config}"),
        previous_call(there, "remember what is left", *(tag for tag in described["Tags"] if tag["Key"] == VERSION)),
    ]
    if there.target and described["ProductionVariants"][0].get("InstanceType") != there.instance_type:
        calls = [*unscale_calls(name, there, "the instance type cannot change under scaling"), *calls, *_scale_again(name, there)]
    return WayBack(there.endpoint["EndpointConfigName"], config, calls, ringing)


def _verify_free(name: str, there: Deployed) -> None:
    status = there.endpoint.get("EndpointStatus")
    if status is None:
        raise DeployError(f"there is no endpoint {name} to take back: python -m deploy up makes it")
    if there.is_under_way:
        raise DeployError(
            f"the endpoint {name} is {status}, and AWS takes no other update meanwhile: "
            "run rollback again when python -m deploy status says InService"
        )
    verify_changeable(name, there)


def _chosen(aws: Aws, name: str, there: Deployed, to: str | None) -> str:
    running = there.endpoint["EndpointConfigName"]
    kept = {config["EndpointConfigName"] for config in own(aws, name, "EndpointConfig")} - {running}
    config = to or there.previous
    if config is None or config not in kept:
        others = ", ".join(sorted(kept)) or "there is none"
        raise DeployError(f"{name} has no previous endpoint config to go back to: name one with --to: {others}")
    return config


def _ringing(aws: Aws, alarms: list[Parameters], configuration: Configuration) -> list[str]:
    # Often it is their ringing that makes one go back; then they would roll the way back itself back.
    names = [alarm["AlarmName"] for alarm in alarms] + list(configuration.update.alarms.names)
    if not names:
        return []
    answer = aws.call("cloudwatch", "describe_alarms", AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    return [alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"]


def _scale_again(name: str, there: Deployed) -> list[Call]:
    bounds = {key: there.target[key] for key in ("MinCapacity", "MaxCapacity")}
    calls = [Call("application-autoscaling", "register_scalable_target", scaled(name) | bounds, "scale again")]
    for policy in there.policies:
        kept = submitted("PutScalingPolicy", policy, "application-autoscaling")
        calls.append(Call("application-autoscaling", "put_scaling_policy", kept, "as before"))
    arns = {policy["PolicyARN"]: arn_of(policy["PolicyName"]) for policy in there.policies}
    for alarm in there.alarms.values():
        if arns.keys() & set(alarm["AlarmActions"]):  # a policy that is made anew has another ARN
            again = submitted("PutMetricAlarm", alarm, "cloudwatch")
            again["AlarmActions"] = [arns.get(action, action) for action in alarm["AlarmActions"]]
            calls.append(Call("cloudwatch", "put_metric_alarm", again, "an alarm that starts the first instance"))
    return calls
