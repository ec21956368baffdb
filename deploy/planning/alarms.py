"""Plans the CloudWatch alarms of an endpoint, and checks those that guard an update."""

from collections.abc import Iterator

from deploy.actual.state import ActualState, differs
from deploy.aws import Aws
from deploy.config.naming import OWNER_TAG, Parameters
from deploy.desired.operations import Operations
from deploy.errors import DeployError
from deploy.planning.call import Call

# Settings that users may add to an alarm of this program. PutMetricAlarm would reset them.
USER_SETTINGS = (
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "ActionsEnabled",
    "AlarmDescription",
)
ROLLBACK_ALARM = "an alarm that rolls back an update"
IN_ALARM_STATE = "is in ALARM state"
MISSING = "does not exist"


def plan_alarms(alarms: list[Parameters], actual: ActualState, reason: str) -> Iterator[Call]:
    """Plan the creation or update of alarms.

    Raises DeployError if an alarm of the same name was not created by this program.
    """
    for alarm in alarms:
        name = alarm["AlarmName"]
        if name in actual.foreign_alarms:
            raise DeployError(
                f"the alarm {name} was not created by this program (it does not have the tag "
                f"{OWNER_TAG}); rename it, or choose another name for the endpoint"
            )
        existing = actual.alarms.get(name, {})
        user_settings = {key: existing[key] for key in USER_SETTINGS if key in existing}
        desired = user_settings | alarm
        if differs(desired, existing):
            yield Call("cloudwatch", "put_metric_alarm", desired, reason)


def find_unusable_alarms(aws: Aws, operations: Operations) -> dict[str, str]:
    """Return the alarms that cannot guard an update, each with the problem."""
    names = [alarm["AlarmName"] for alarm in operations.alarms]
    names += operations.external_alarms
    if operations.deployment is None or not names:
        return {}
    states = _read_alarm_states(aws, names)
    problems = {name: IN_ALARM_STATE for name, state in states.items() if state == "ALARM"}
    missing = {name: MISSING for name in operations.external_alarms if name not in states}
    return problems | missing


def verify_alarms(aws: Aws, operations: Operations) -> list[str]:
    """Return the alarms in ALARM state, which would roll back any update.

    Raises DeployError if an alarm in ``update.alarms.names`` does not exist.
    """
    problems = find_unusable_alarms(aws, operations)
    missing = sorted(name for name, problem in problems.items() if problem == MISSING)
    if missing:
        raise DeployError(
            f"update.alarms.names: no such alarm in {aws.region}: {', '.join(missing)}; "
            "create it, or remove it from the list"
        )
    return sorted(problems)


def _read_alarm_states(aws: Aws, names: list[str]) -> dict[str, str]:
    response = aws.call(
        "cloudwatch",
        "describe_alarms",
        AlarmNames=names,
        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
    )
    alarms = response.get("MetricAlarms", []) + response.get("CompositeAlarms", [])
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
