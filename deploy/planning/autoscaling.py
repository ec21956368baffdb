"""Scaling put on, taken off, and put on again as it was."""

from collections.abc import Iterator
from datetime import UTC, datetime

from deploy.actual import Deployed, differs
from deploy.config.naming import Parameters
from deploy.desired.autoscaling import (
    TARGET_TRACKING_POLICY,
    WAKE_POLICY,
    policy_arn_placeholder,
    scalable_target_id,
)
from deploy.desired.service_model import creation_parameters
from deploy.planning.alarms import alarm_calls
from deploy.planning.call import Call

AUTOSCALING = "application-autoscaling"
OWN = {TARGET_TRACKING_POLICY: "by this metric", WAKE_POLICY: "from none to one"}
WAKE = "an alarm that starts the first instance"


def scale_calls(
    target: Parameters,
    policies: list[Parameters],
    wake_alarm: Parameters | None,
    there: Deployed,
    *,
    anew: bool,
) -> Iterator[Call]:
    """Return the calls that put scaling on, or change it; ``anew`` if all of it was taken off before."""
    if anew or differs(target, there.target):
        suspended = there.target.get("SuspendedState", {})
        kept = (
            {"SuspendedState": suspended} if anew and any(suspended.values()) else {}
        )  # as somebody set it by hand
        yield Call(
            AUTOSCALING,
            "register_scalable_target",
            target | kept,
            "let the number of instances follow the load",
        )
    known = {} if anew else {policy["PolicyName"]: policy for policy in there.policies}
    arns = {policy_arn_placeholder(name): policy["PolicyARN"] for name, policy in known.items()}
    for policy in policies:
        if differs(policy, known.get(policy["PolicyName"], {})):
            arns.pop(policy_arn_placeholder(policy["PolicyName"]), None)
            yield Call(AUTOSCALING, "put_scaling_policy", policy, OWN[policy["PolicyName"]])
    if wake_alarm:
        yield from alarm_calls(
            [
                _waking(
                    wake_alarm,
                    arns.get(
                        policy_arn_placeholder(WAKE_POLICY), policy_arn_placeholder(WAKE_POLICY)
                    ),
                    there,
                )
            ],
            there,
            WAKE,
        )
    for name in sorted((OWN.keys() & known.keys()) - {policy["PolicyName"] for policy in policies}):
        yield _delete(target, name)


def unscale_call(name: str, there: Deployed, why: str) -> Call:
    """Return the call that takes scaling off, and with it all policies and scheduled actions, for what needs it off."""
    again = scale_again_calls(name, there) if there.endpoint else []
    return Call(AUTOSCALING, "deregister_scalable_target", scalable_target_id(name), why, again)


def end_scaling_calls(name: str, there: Deployed) -> Iterator[Call]:
    """Return the calls that end the scaling of this program's; a target of others', or with policies of others, stays."""
    if there.policies and not others(there):
        yield Call(
            AUTOSCALING,
            "deregister_scalable_target",
            scalable_target_id(name),
            "the file has no scaling any more",
        )
    else:
        for policy in there.policies:
            if policy["PolicyName"] in OWN:
                yield _delete(scalable_target_id(name), policy["PolicyName"])


def scale_again_calls(name: str, there: Deployed) -> list[Call]:
    """Return the calls that put scaling on as it was, with what others made for it."""
    # AWS fills in the role, which whoever deploys may not be allowed to pass.
    target = {
        key: value
        for key, value in creation_parameters(
            "RegisterScalableTarget", there.target, AUTOSCALING
        ).items()
        if key != "RoleARN"
    }
    calls = [
        Call(
            AUTOSCALING,
            "register_scalable_target",
            scalable_target_id(name) | target,
            "scale again, as before",
        )
    ]
    calls += [_put(policy) for policy in there.policies if policy["PolicyName"] in OWN]
    for alarm in there.alarms.values():
        if _wakes(alarm):  # a policy that is made anew has another ARN
            calls.append(
                Call(
                    "cloudwatch",
                    "put_metric_alarm",
                    _waking(_again(alarm), policy_arn_placeholder(WAKE_POLICY), there),
                    WAKE,
                )
            )
    return calls + others_again_calls(there)


def alarms_again_calls(there: Deployed) -> list[Call]:
    """Return the calls that make the alarms again that are no part of scaling."""
    alarms = [alarm for alarm in there.alarms.values() if not _wakes(alarm)]
    return [
        Call("cloudwatch", "put_metric_alarm", _again(alarm), "an alarm, as before")
        for alarm in alarms
    ]


def others_again_calls(there: Deployed) -> list[Call]:
    """Return the calls that put back the policies and scheduled actions of others."""
    calls = [_put(policy) for policy in there.policies if policy["PolicyName"] not in OWN]
    now = datetime.now(UTC)
    for action in there.scheduled:
        if action.get("EndTime", now) < now:
            continue
        kept = creation_parameters("PutScheduledAction", action, AUTOSCALING)
        if kept.get("StartTime", now) < now:
            del kept["StartTime"]  # it has begun, and AWS takes none of the past
        calls.append(
            Call(
                AUTOSCALING, "put_scheduled_action", kept, "a scheduled action of others, as before"
            )
        )
    return calls


def others(there: Deployed) -> list[str]:
    """Return the policies and scheduled actions of others, by their names."""
    policies = [
        f"the policy {policy['PolicyName']}"
        for policy in there.policies
        if policy["PolicyName"] not in OWN
    ]
    return policies + [
        f"the scheduled action {action['ScheduledActionName']}" for action in there.scheduled
    ]


def _put(policy: Parameters) -> Call:
    own = policy["PolicyName"] in OWN
    why = (
        "as before"
        if own
        else "a policy of others, as before; an alarm that starts it needs its new ARN"
    )
    return Call(
        AUTOSCALING,
        "put_scaling_policy",
        creation_parameters("PutScalingPolicy", policy, AUTOSCALING),
        why,
    )


def _delete(target: Parameters, policy: str) -> Call:
    where = {key: target[key] for key in scalable_target_id("")}
    return Call(
        AUTOSCALING,
        "delete_scaling_policy",
        where | {"PolicyName": policy},
        "the file has it no more",
    )


def _again(alarm: Parameters) -> Parameters:
    kept = creation_parameters(
        "PutMetricAlarm", alarm, "cloudwatch"
    )  # without what is false, though actions are enabled by default
    return kept | {key: alarm[key] for key in ("ActionsEnabled", "Tags") if key in alarm}


def _wakes(alarm: Parameters) -> bool:
    return any(_is_waking(action) for action in alarm["AlarmActions"])


def _waking(alarm: Parameters, arn: str, there: Deployed) -> Parameters:
    actions = there.alarms.get(alarm["AlarmName"], {}).get("AlarmActions", [])
    others_too = [action for action in actions if not _is_waking(action)]
    return alarm | {"AlarmActions": actions if arn in actions else [*others_too, arn]}


def _is_waking(action: str) -> bool:
    return action.endswith(f":policyName/{WAKE_POLICY}")
