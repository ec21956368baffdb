"""Alarms: those of others are left alone, those that watch an update are looked at before it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.deploy.conftest import Run
from tests.deploy.test_asynchronous import ASYNCHRONOUS
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.runtime import REGION
from tests.support.aws_emulator.server import Emulator

ALARM: dict[str, Any] = {
    "MetricName": "x", "Namespace": "x", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum",
    "Period": 60, "Threshold": 1.0,
}  # fmt: skip
TOPIC = "arn:aws:sns:eu-central-1:123456789012:pager"
NAMED = {"names: []": "names: [theirs]"}


def alarm(emulator: Emulator, name: str) -> dict[str, Any]:
    """Return an alarm as it is."""
    found: dict[str, Any] = emulator.client("cloudwatch").describe_alarms(AlarmNames=[name])[
        "MetricAlarms"
    ][0]
    return found


def page(emulator: Emulator, name: str) -> None:
    """Let an alarm tell a topic, and be off, as somebody does by hand."""
    known = {
        key: value
        for key, value in alarm(emulator, name).items()
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


def test_an_alarm_of_somebody_else(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An alarm of others that has the name of one of ours is refused by plan and up; rollback takes it as it is."""
    run("up", write_config(), *POLL)
    run("up", write_config({"1.0.0": "2.0.0"}), *POLL)
    made = alarm(emulator, "diamonds-errors-5xx")["AlarmArn"]
    emulator.client("cloudwatch").untag_resource(
        ResourceARN=made, TagKeys=["xgb-endpoint:endpoint"]
    )
    emulator.recorder.reset()
    outcomes, changed = (
        [run("plan", write_config()), run("up", write_config(), *POLL)],
        mutations(emulator),
    )
    back = run("rollback", write_config(), "--yes", *POLL)

    assert changed == []
    assert back.exit_code == 0, back.output
    assert "PutMetricAlarm" not in mutations(emulator)
    for outcome in outcomes:
        assert outcome.exit_code == 1
        assert "the alarm diamonds-errors-5xx was not made by this program" in outcome.output


def test_an_alarm_that_was_ours_and_is_named(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An alarm that the file names is not removed, though the file makes it no more, and is sent once."""
    run("up", write_config(), *POLL)
    named = {
        "errors_5xx: 5": "errors_5xx: null",
        "names: []": "names: [diamonds-errors-5xx, diamonds-latency-p99]",
    }
    outcome = run("up", write_config({**named, "1.0.0": "2.0.0"}), *POLL)
    update = next(
        call.parameters
        for call in reversed(emulator.recorder.calls)
        if call.operation == "UpdateEndpoint"
    )

    assert outcome.exit_code == 0, outcome.output
    assert alarm(emulator, "diamonds-errors-5xx")["StateValue"] != "ALARM"
    watching = [
        one["AlarmName"]
        for one in update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    ]
    assert sorted(watching) == ["diamonds-errors-5xx", "diamonds-latency-p99"]


def test_what_others_added_to_our_alarms(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Another limit in the file leaves whom an alarm tells, whether it does, and what it says of itself."""
    run("up", write_config(), *POLL)
    page(emulator, "diamonds-errors-5xx")
    outcome, again = (
        run("up", write_config({"errors_5xx: 5": "errors_5xx: 9"}), *POLL),
        run("plan", write_config({"errors_5xx: 5": "errors_5xx: 9"})),
    )
    now = alarm(emulator, "diamonds-errors-5xx")

    assert outcome.exit_code == 0, outcome.output
    assert "nothing to do" in again.output
    assert now["Threshold"] == 9
    assert (
        now["AlarmActions"],
        now["OKActions"],
        now["ActionsEnabled"],
        now["AlarmDescription"],
    ) == (
        [TOPIC],
        [TOPIC],
        False,
        "call us",
    )


def test_what_others_added_to_the_alarm_that_wakes(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """The alarm that starts the first instance tells whom others added too, also after its policy was made anew."""
    emulator.client("s3").create_bucket(
        Bucket="replies", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    run("up", write_config(ASYNCHRONOUS), *POLL)
    page(emulator, "diamonds-backlog-without-capacity")
    planned = run("plan", write_config(ASYNCHRONOUS))
    run("up", write_config({**ASYNCHRONOUS, "ml.c6i.large": "ml.c7i.large"}), *POLL)
    found = emulator.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    arn = next(
        policy["PolicyARN"] for policy in found if policy["PolicyName"] == "xgb-endpoint-wake"
    )

    assert "nothing to do" in planned.output
    assert set(alarm(emulator, "diamonds-backlog-without-capacity")["AlarmActions"]) == {TOPIC, arn}


def test_an_alarm_that_is_not_there(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Named alarms that are not there are told by plan and up before anything is made; rollback goes without them."""
    run("up", write_config(), *POLL)
    run("up", write_config({"1.0.0": "2.0.0"}), *POLL)
    emulator.recorder.reset()
    outcomes = [run("plan", write_config(NAMED)), run("up", write_config(NAMED), *POLL)]
    changed = mutations(emulator)
    back = run("rollback", write_config(NAMED), "--yes", *POLL)

    assert changed == []
    for outcome in outcomes:
        assert outcome.exit_code == 1
        assert "update.alarms.names: there is no alarm theirs in eu-central-1" in outcome.output
    assert back.exit_code == 0, back.output
    assert "the alarm theirs is not there, so that it cannot watch the way back" in back.output


def test_an_alarm_that_rings_before_an_update(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An alarm that rings is told before an update, which it would end at once, and only then."""
    emulator.client("cloudwatch").put_metric_alarm(AlarmName="theirs", **ALARM)
    first = run("up", write_config(NAMED), *POLL)
    emulator.client("cloudwatch").set_alarm_state(
        AlarmName="theirs", StateValue="ALARM", StateReason="a test"
    )
    same, other = run("plan", write_config(NAMED)), write_config({**NAMED, "1.0.0": "2.0.0"})
    planned, updated = run("plan", other), run("up", other, *POLL)

    assert first.exit_code == updated.exit_code == 0, first.output + updated.output
    assert "theirs rings" not in first.output + same.output
    for outcome in (planned, updated):
        assert (
            "the alarm theirs rings already, so that the update would be rolled back at once"
            in outcome.output
        )
