"""The way back to a config that the endpoint had, in the steps and under the alarms that the file wants for any update."""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.actual import Deployed, deployed, own, tagged
from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.naming import VERSION_TAG, Parameters
from deploy.desired.autoscaling import (
    build_scalable_target,
    build_scaling_policies,
    build_wake_alarm,
)
from deploy.desired.guardrails import build_alarms, build_deployment_config, supports_guardrails
from deploy.errors import DeployError
from deploy.planning.alarms import alarm_calls, unfit_alarms
from deploy.planning.autoscaling import scale_again_calls, scale_calls, unscale_call
from deploy.planning.call import Call
from deploy.planning.endpoint_kind import verify_kind
from deploy.planning.tags import serving_tags
from deploy.planning.update import MIXED, RETYPED, is_retyped, update_call, verify_changeable


@dataclass(frozen=True, slots=True)
class WayBack:
    """The config that serves now and the one to go back to, the calls that lead there, and what is to be said before."""

    running: str
    config: str
    calls: list[Call]
    warnings: list[str]


def way_back(aws: Aws, configuration: Configuration, to: str | None) -> WayBack:
    """Find the way back to a config, or to the one before; raises DeployError where there is none."""
    name = configuration.name
    there = deployed(aws, name)
    _verify_free(name, there)
    is_back = to is None and there.is_back and there.endpoint["EndpointStatus"] != MIXED
    config = str(there.running) if is_back else _chosen(aws, name, there, to)
    described = tagged(
        aws,
        "EndpointConfigArn",
        aws.call("sagemaker", "describe_endpoint_config", EndpointConfigName=config),
    )
    verify_kind(name, there.running_config, described)
    if is_back:
        finish = [
            *_scaling(configuration, there, described, retyped=False),
            _tag_call(there, config, described),
        ]
        told = f"{config} serves already, as after a rollback that broke off: what is left of it is done"
        return WayBack(
            config, config, finish, [told, *_about_scaling(configuration, there, described)]
        )
    has_instances = supports_guardrails(there.running_config, described)
    alarms, unfit = build_alarms(configuration), dict[str, str]()
    if (
        has_instances
    ):  # often it is a ringing alarm that makes one go back; it would roll the way back itself back
        unfit = unfit_alarms(aws, configuration)
    deployment = (
        build_deployment_config(configuration, alarms, list(unfit)) if has_instances else None
    )
    retyped = is_retyped(there, described)
    calls = [
        *(
            alarm_calls(_own(alarms, there), there, "an alarm that rolls an update back")
            if deployment
            else []
        ),
        *([unscale_call(name, there, RETYPED)] if retyped else []),
        update_call(
            name,
            config,
            deployment,
            retains=has_instances and _scales(configuration, there),
            why=f"go back to {config}",
        ),
        *_scaling(configuration, there, described, retyped=retyped),
        _tag_call(there, config, described),
    ]
    warnings = [
        f"the alarm {alarm} {why}, so that it cannot watch the way back"
        for alarm, why in unfit.items()
    ]
    return WayBack(
        str(there.running),
        config,
        calls,
        warnings + _about_scaling(configuration, there, described),
    )


def _verify_free(name: str, there: Deployed) -> None:
    status = there.endpoint.get("EndpointStatus")
    if status in (None, "Failed"):
        raise DeployError(f"there is no endpoint {name} to take back: python -m deploy up makes it")
    if there.is_under_way:
        raise DeployError(
            f"the endpoint {name} is {status}, and AWS takes no other update meanwhile: "
            "run rollback again when python -m deploy status says InService"
        )
    verify_changeable(name, there)


def _chosen(aws: Aws, name: str, there: Deployed, to: str | None) -> str:
    is_mixed = there.endpoint["EndpointStatus"] == MIXED
    kept = {config["EndpointConfigName"] for config in own(aws, name, "EndpointConfig")}
    config = to or (there.settled if is_mixed else there.previous)
    others = ", ".join(sorted(kept - {there.running})) or "there is none"
    if config == there.running and not is_mixed:
        raise DeployError(
            f"{name} serves {config} already: to go to another, name one with --to: {others}"
        )
    if config is None:
        raise DeployError(
            f"{name} has no previous endpoint config to go back to: name one with --to: {others}"
        )
    if config not in {*kept, there.previous}:  # which may have been made by hand
        raise DeployError(
            f"{config} is no endpoint config of {name}, or is there no more: name one with --to: {others}"
        )
    return config


def _own(alarms: list[Parameters], there: Deployed) -> list[Parameters]:
    # One that others made watches as it is; the way back is no time to ask for another name.
    return [alarm for alarm in alarms if alarm["AlarmName"] not in there.others_alarms]


def _scales(configuration: Configuration, there: Deployed) -> bool:
    # Scaling that a broken-off run left off has found a number of instances, too.
    return bool(there.target or configuration.scaling)


def _scaling(
    configuration: Configuration, there: Deployed, described: Parameters, *, retyped: bool
) -> Iterator[Call]:
    if not supports_guardrails(described):
        return
    if retyped:
        yield from scale_again_calls(configuration.name, there)
    elif not there.target and (target := build_scalable_target(configuration)):
        yield from scale_calls(
            target,
            build_scaling_policies(configuration),
            build_wake_alarm(configuration),
            there,
            anew=True,
        )


def _about_scaling(
    configuration: Configuration, there: Deployed, described: Parameters
) -> list[str]:
    if not supports_guardrails(described) or there.target:
        return []
    if build_scalable_target(configuration):
        return [
            "scaling is off, as after a run that was killed, or another kind of compute: it is put on as the file says"
        ]
    return (
        []
        if supports_guardrails(there.running_config)
        else ["the file has no scaling, so that the number of instances is fixed"]
    )


def _tag_call(there: Deployed, config: str, described: Parameters) -> Call:
    tags = [
        *serving_tags(config, there.before(config)),
        *(tag for tag in described["Tags"] if tag["Key"] == VERSION_TAG),
    ]
    why = "remember what serves, and what is left"
    return Call(
        "sagemaker", "add_tags", {"ResourceArn": there.endpoint["EndpointArn"], "Tags": tags}, why
    )
