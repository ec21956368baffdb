"""Distinguishes this program's scaling policies from policies and actions that users added."""

from deploy.actual.state import ActualState
from deploy.config.naming import Parameters
from deploy.desired.autoscaling import TARGET_TRACKING_POLICY, WAKE_POLICY

AUTOSCALING = "application-autoscaling"
OWN_POLICIES = {
    TARGET_TRACKING_POLICY: "track the target value of the metric",
    WAKE_POLICY: "scale from zero to one instance",
}


def is_own_policy(policy: Parameters) -> bool:
    """Return whether this program created a scaling policy."""
    return policy["PolicyName"] in OWN_POLICIES


def list_foreign_scaling(actual: ActualState) -> list[str]:
    """Describe the policies and scheduled actions that this program did not create."""
    foreign = [policy for policy in actual.policies if not is_own_policy(policy)]
    return [
        *(f"the policy {policy['PolicyName']}" for policy in foreign),
        *(
            f"the scheduled action {action['ScheduledActionName']}"
            for action in actual.scheduled_actions
        ),
    ]
