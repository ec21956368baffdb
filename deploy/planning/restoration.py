"""Plans the calls that restore scaling and alarms after they were removed for another call."""

from datetime import UTC, datetime

from deploy.actual.state import ActualState
from deploy.config.naming import Parameters
from deploy.desired.autoscaling import WAKE_POLICY, policy_arn_placeholder, scalable_target_id
from deploy.desired.service_model import creation_parameters
from deploy.planning.call import Call
from deploy.planning.scaling_policies import AUTOSCALING, is_own_policy
from deploy.planning.wake_alarm import WAKE_ALARM, is_wake_alarm, set_wake_action

RESTORE_SCALING = "restore scaling"
RESTORE_FOREIGN_POLICY = (
    "restore a policy that this program did not create; alarms that trigger it need its new ARN"
)
RESTORE_FOREIGN_ACTION = "restore a scheduled action that this program did not create"


def plan_scaling_restoration(name: str, actual: ActualState) -> list[Call]:
    """Plan the calls that restore scaling, including what this program did not create."""
    calls = [_restore_target(name, actual)]
    calls += [_restore_policy(policy) for policy in actual.policies if is_own_policy(policy)]
    for alarm in actual.alarms.values():
        if is_wake_alarm(alarm):
            calls.append(_restore_wake_alarm(alarm, actual))
    return calls + plan_foreign_scaling_restoration(actual)


def plan_foreign_scaling_restoration(actual: ActualState) -> list[Call]:
    """Plan the calls that restore the policies and actions that this program did not create."""
    policies = [policy for policy in actual.policies if not is_own_policy(policy)]
    calls = [_restore_policy(policy) for policy in policies]
    now = datetime.now(UTC)
    calls += [
        _restore_scheduled_action(action, now)
        for action in actual.scheduled_actions
        if action.get("EndTime", now) >= now
    ]
    return calls


def plan_alarm_restoration(actual: ActualState) -> list[Call]:
    """Plan the calls that restore the alarms, except for the one that belongs to scaling."""
    alarms = [alarm for alarm in actual.alarms.values() if not is_wake_alarm(alarm)]
    return [_restore_alarm(_alarm_parameters(alarm), "restore the alarm") for alarm in alarms]


def _restore_target(name: str, actual: ActualState) -> Call:
    target = creation_parameters("RegisterScalableTarget", actual.target, AUTOSCALING)
    # AWS sets the role by default. Sending it would require the iam:PassRole permission.
    target.pop("RoleARN", None)
    parameters = scalable_target_id(name) | target
    return Call(AUTOSCALING, "register_scalable_target", parameters, RESTORE_SCALING)


def _restore_policy(policy: Parameters) -> Call:
    parameters = creation_parameters("PutScalingPolicy", policy, AUTOSCALING)
    reason = RESTORE_SCALING if is_own_policy(policy) else RESTORE_FOREIGN_POLICY
    return Call(AUTOSCALING, "put_scaling_policy", parameters, reason)


def _restore_scheduled_action(action: Parameters, now: datetime) -> Call:
    parameters = creation_parameters("PutScheduledAction", action, AUTOSCALING)
    if parameters.get("StartTime", now) < now:
        del parameters["StartTime"]  # AWS rejects a start in the past
    return Call(AUTOSCALING, "put_scheduled_action", parameters, RESTORE_FOREIGN_ACTION)


def _restore_wake_alarm(alarm: Parameters, actual: ActualState) -> Call:
    # The restored policy has a new ARN, which is known only when it has been created.
    arn = policy_arn_placeholder(WAKE_POLICY)
    return _restore_alarm(set_wake_action(_alarm_parameters(alarm), arn, actual), WAKE_ALARM)


def _restore_alarm(parameters: Parameters, reason: str) -> Call:
    return Call("cloudwatch", "put_metric_alarm", parameters, reason)


def _alarm_parameters(alarm: Parameters) -> Parameters:
    parameters = creation_parameters("PutMetricAlarm", alarm, "cloudwatch")
    # creation_parameters drops false values and tags, but actions are enabled by default.
    return parameters | {key: alarm[key] for key in ("ActionsEnabled", "Tags") if key in alarm}
