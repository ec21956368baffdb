"""CloudWatch alarms: ownership, settings that users added, and states before an update."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.deploy.conftest import Run
from tests.deploy.support import POLL, SECOND_VERSION, find_last_parameters, list_mutations
from tests.deploy.test_asynchronous import ASYNCHRONOUS
from tests.support.aws_emulator.runtime import REGION
from tests.support.aws_emulator.server import Emulator

ALARM: dict[str, Any] = {
    "MetricName": "x",
    "Namespace": "x",
    "EvaluationPeriods": 1,
    "ComparisonOperator": "GreaterThanThreshold",
    "Statistic": "Sum",
    "Period": 60,
    "Threshold": 1.0,
}
TOPIC = "arn:aws:sns:eu-central-1:123456789012:pager"
NAMED = {"names: []": "names: [theirs]"}


def describe_alarm(emulator: Emulator, name: str) -> dict[str, Any]:
    """Return the description of an alarm."""
    response = emulator.client("cloudwatch").describe_alarms(AlarmNames=[name])
    alarm: dict[str, Any] = response["MetricAlarms"][0]
    return alarm


def add_notifications(emulator: Emulator, name: str) -> None:
    """Add an SNS topic and a description, and disable the actions, as a user would."""
    known = {
        key: value
        for key, value in describe_alarm(emulator, name).items()
        if key in {*ALARM, "Dimensions", "TreatMissingData", "AlarmActions"}
    }
    actions = [*known.pop("AlarmActions", []), TOPIC]
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        **known,
        AlarmActions=actions,
        OKActions=[TOPIC],
        ActionsEnabled=False,
        AlarmDescription="call us",
    )


def test_foreign_alarm_with_our_name(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Plan and up reject a foreign alarm with our name; rollback uses it unchanged."""
    run("up", write_config(), *POLL)
    run("up", write_config(SECOND_VERSION), *POLL)
    arn = describe_alarm(emulator, "diamonds-errors-5xx")["AlarmArn"]
    emulator.client("cloudwatch").untag_resource(ResourceARN=arn, TagKeys=["xgb-endpoint:endpoint"])
    emulator.recorder.reset()
    outcomes, changed = (
        [run("plan", write_config()), run("up", write_config(), *POLL)],
        list_mutations(emulator),
    )
    back = run("rollback", write_config(), "--yes", *POLL)

    assert changed == []
    assert back.exit_code == 0, back.output
    assert "PutMetricAlarm" not in list_mutations(emulator)
    for outcome in outcomes:
        assert outcome.exit_code == 1
        assert "the alarm diamonds-errors-5xx was not created by this program" in outcome.output


def test_own_alarm_listed_in_file(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An alarm listed in the file is not deleted, and its name is sent to AWS only once."""
    run("up", write_config(), *POLL)
    named = {
        "errors_5xx: 5": "errors_5xx: null",
        "names: []": "names: [diamonds-errors-5xx, diamonds-latency-p99]",
    }
    outcome = run("up", write_config({**named, "1.0.0": "2.0.0"}), *POLL)
    update = find_last_parameters(emulator, "UpdateEndpoint")

    assert outcome.exit_code == 0, outcome.output
    assert describe_alarm(emulator, "diamonds-errors-5xx")["StateValue"] != "ALARM"
    watching = [
        alarm["AlarmName"]
        for alarm in update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    ]
    assert sorted(watching) == ["diamonds-errors-5xx", "diamonds-latency-p99"]


def test_user_settings_of_alarm_are_kept(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A new threshold keeps the actions and the description that a user added."""
    run("up", write_config(), *POLL)
    add_notifications(emulator, "diamonds-errors-5xx")
    outcome, again = (
        run("up", write_config({"errors_5xx: 5": "errors_5xx: 9"}), *POLL),
        run("plan", write_config({"errors_5xx: 5": "errors_5xx: 9"})),
    )
    updated = describe_alarm(emulator, "diamonds-errors-5xx")

    assert outcome.exit_code == 0, outcome.output
    assert "nothing to do" in again.output
    assert updated["Threshold"] == 9
    assert (
        updated["AlarmActions"],
        updated["OKActions"],
        updated["ActionsEnabled"],
        updated["AlarmDescription"],
    ) == (
        [TOPIC],
        [TOPIC],
        False,
        "call us",
    )


def test_user_actions_of_wake_alarm_are_kept(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """The wake alarm keeps actions that users added, even after its policy was recreated."""
    emulator.client("s3").create_bucket(
        Bucket="replies", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    run("up", write_config(ASYNCHRONOUS), *POLL)
    add_notifications(emulator, "diamonds-backlog-without-capacity")
    planned = run("plan", write_config(ASYNCHRONOUS))
    run("up", write_config({**ASYNCHRONOUS, "ml.c6i.large": "ml.c7i.large"}), *POLL)
    found = emulator.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    arn = next(
        policy["PolicyARN"] for policy in found if policy["PolicyName"] == "xgb-endpoint-wake"
    )

    assert "nothing to do" in planned.output
    assert set(describe_alarm(emulator, "diamonds-backlog-without-capacity")["AlarmActions"]) == {
        TOPIC,
        arn,
    }


def test_missing_alarm(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """Plan and up reject a missing alarm before any change; rollback ignores it."""
    run("up", write_config(), *POLL)
    run("up", write_config(SECOND_VERSION), *POLL)
    emulator.recorder.reset()
    outcomes = [run("plan", write_config(NAMED)), run("up", write_config(NAMED), *POLL)]
    changed = list_mutations(emulator)
    back = run("rollback", write_config(NAMED), "--yes", *POLL)

    assert changed == []
    for outcome in outcomes:
        assert outcome.exit_code == 1
        assert (
            "update.alarms.names: no such alarm in eu-central-1: theirs; create it"
            in outcome.output
        )
    assert back.exit_code == 0, back.output
    assert "the alarm theirs does not exist, so it cannot guard this rollback" in back.output


def test_alarm_in_alarm_state_before_update(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Plan and up warn about an alarm in ALARM state, but only before an update."""
    emulator.client("cloudwatch").put_metric_alarm(AlarmName="theirs", **ALARM)
    first = run("up", write_config(NAMED), *POLL)
    emulator.client("cloudwatch").set_alarm_state(
        AlarmName="theirs", StateValue="ALARM", StateReason="a test"
    )
    same, other = run("plan", write_config(NAMED)), write_config({**NAMED, "1.0.0": "2.0.0"})
    planned, updated = run("plan", other), run("up", other, *POLL)

    assert first.exit_code == updated.exit_code == 0, first.output + updated.output
    assert "theirs is in ALARM" not in first.output + same.output
    for outcome in (planned, updated):
        assert (
            "the alarm theirs is in ALARM state, so AWS would roll the update back immediately"
            in outcome.output
        )
