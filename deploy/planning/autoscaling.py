"""Plans how scaling is attached to an endpoint, changed, detached and removed."""

from collections.abc import Iterator

from deploy.actual.state import ActualState, differs
from deploy.config.naming import Parameters
from deploy.desired.autoscaling import WAKE_POLICY, policy_arn_placeholder, scalable_target_id
from deploy.desired.operations import Operations
from deploy.planning.alarms import plan_alarms
from deploy.planning.call import Call
from deploy.planning.restoration import plan_scaling_restoration
from deploy.planning.scaling_policies import (
    AUTOSCALING,
    OWN_POLICIES,
    is_own_policy,
    list_foreign_scaling,
)
from deploy.planning.wake_alarm import WAKE_ALARM, set_wake_action

NOT_IN_FILE = "no longer in the file"


def plan_scaling(
    target: Parameters, operations: Operations, actual: ActualState, *, reattach: bool
) -> Iterator[Call]:
    """Plan the calls that attach scaling or change it; ``reattach`` if this plan detaches it."""
    yield from _plan_target(target, actual, reattach=reattach)
    existing = {} if reattach else {policy["PolicyName"]: policy for policy in actual.policies}
    yield from _plan_policies(operations.policies, existing)
    if operations.wake_alarm:
        arn = _find_wake_policy_arn(operations.policies, existing)
        alarm = set_wake_action(operations.wake_alarm, arn, actual)
        yield from plan_alarms([alarm], actual, WAKE_ALARM)
    desired_names = {policy["PolicyName"] for policy in operations.policies}
    for policy_name in sorted((OWN_POLICIES.keys() & existing.keys()) - desired_names):
        yield _delete_policy(target, policy_name)


def detach_scaling(name: str, actual: ActualState, reason: str) -> Call:
    """Return the call that detaches scaling, with all policies and scheduled actions."""
    undo = plan_scaling_restoration(name, actual) if actual.endpoint else []
    return _deregister_target(name, reason, undo)


def plan_scaling_removal(name: str, actual: ActualState) -> Iterator[Call]:
    """Plan the removal of this program's scaling.

    The scalable target remains if it has policies or scheduled actions that this program did not
    create, or if this program did not register it.
    """
    if actual.policies and not list_foreign_scaling(actual):
        yield _deregister_target(name, f"scaling is {NOT_IN_FILE}", [])
        return
    for policy in actual.policies:
        if is_own_policy(policy):
            yield _delete_policy(scalable_target_id(name), policy["PolicyName"])


def _plan_target(target: Parameters, actual: ActualState, *, reattach: bool) -> Iterator[Call]:
    if not reattach and not differs(target, actual.target):
        return
    suspended = actual.target.get("SuspendedState", {})
    if reattach and any(suspended.values()):
        target = target | {"SuspendedState": suspended}  # a user suspended scaling activities
    reason = "scale the number of instances with the load"
    yield Call(AUTOSCALING, "register_scalable_target", target, reason)


def _plan_policies(policies: list[Parameters], existing: dict[str, Parameters]) -> Iterator[Call]:
    for policy in policies:
        name = policy["PolicyName"]
        if differs(policy, existing.get(name, {})):
            yield Call(AUTOSCALING, "put_scaling_policy", policy, OWN_POLICIES[name])


def _find_wake_policy_arn(policies: list[Parameters], existing: dict[str, Parameters]) -> str:
    if WAKE_POLICY in existing:
        current = existing[WAKE_POLICY]
        is_unchanged = all(
            not differs(policy, current)
            for policy in policies
            if policy["PolicyName"] == WAKE_POLICY
        )
        if is_unchanged:
            return str(current["PolicyARN"])
    return policy_arn_placeholder(WAKE_POLICY)


def _deregister_target(name: str, reason: str, undo: list[Call]) -> Call:
    target = scalable_target_id(name)
    return Call(AUTOSCALING, "deregister_scalable_target", target, reason, undo)


def _delete_policy(target: Parameters, policy_name: str) -> Call:
    parameters = {key: target[key] for key in scalable_target_id("")}
    parameters["PolicyName"] = policy_name
    return Call(AUTOSCALING, "delete_scaling_policy", parameters, NOT_IN_FILE)
