"""The alarm that scales an endpoint from zero to one instance, and its action."""

from deploy.actual.state import ActualState
from deploy.config.naming import Parameters
from deploy.desired.autoscaling import WAKE_POLICY

WAKE_ALARM = "an alarm that starts the first instance"


def is_wake_alarm(alarm: Parameters) -> bool:
    """Return whether an alarm triggers the policy that starts the first instance."""
    return any(_is_wake_action(action) for action in alarm["AlarmActions"])


def set_wake_action(alarm: Parameters, policy_arn: str, actual: ActualState) -> Parameters:
    """Return an alarm that triggers this policy, with the actions that users added to it."""
    actions = actual.alarms.get(alarm["AlarmName"], {}).get("AlarmActions", [])
    if policy_arn not in actions:
        actions = [action for action in actions if not _is_wake_action(action)]
        actions.append(policy_arn)
    return alarm | {"AlarmActions": actions}


def _is_wake_action(action: str) -> bool:
    return action.endswith(f":policyName/{WAKE_POLICY}")
