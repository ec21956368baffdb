"""The alarms that watch an update: made as they are wanted, and looked at before it."""

from collections.abc import Iterator

from deploy.actual import Deployed, differs
from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.naming import OWNER_TAG, Parameters
from deploy.desired.guardrails import build_alarms
from deploy.errors import DeployError
from deploy.planning.call import Call

# What others may set of an alarm that this program makes, and PutMetricAlarm would forget.
OTHERS = (
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "ActionsEnabled",
    "AlarmDescription",
)

RINGS = "rings already"


def alarm_calls(alarms: list[Parameters], there: Deployed, why: str) -> Iterator[Call]:
    """Return the calls that make alarms, or make them as they are wanted; raises DeployError for a name that others have."""
    for alarm in alarms:
        name = alarm["AlarmName"]
        if name in there.others_alarms:
            raise DeployError(
                f"the alarm {name} was not made by this program (it has no tag {OWNER_TAG}): rename it, or choose another name"
            )
        known = there.alarms.get(name, {})
        wanted = {key: known[key] for key in OTHERS if key in known} | alarm
        if differs(wanted, known):
            yield Call("cloudwatch", "put_metric_alarm", wanted, why)


def unfit_alarms(aws: Aws, configuration: Configuration) -> dict[str, str]:
    """Return which alarms of an update cannot watch it, and why: they ring already, or are not there."""
    named, own = (
        configuration.update.alarms.names,
        [alarm["AlarmName"] for alarm in build_alarms(configuration)],
    )
    if configuration.compute.serverless or not (named or own):
        return {}
    asked = {"AlarmNames": [*own, *named], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    answer = aws.call("cloudwatch", "describe_alarms", **asked)
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}
    ringing = {name: RINGS for name, state in states.items() if state == "ALARM"}
    return ringing | {name: "is not there" for name in named if name not in states}


def verify_alarms(aws: Aws, configuration: Configuration) -> list[str]:
    """Return the alarms that ring already, and would roll any update back; raises DeployError for one that is not there."""
    unfit = unfit_alarms(aws, configuration)
    if missing := ", ".join(sorted(name for name, why in unfit.items() if why != RINGS)):
        raise DeployError(
            f"update.alarms.names: there is no alarm {missing} in {aws.region}: make it first, or take it out"
        )
    return sorted(unfit)
