"""Scaling settings that users change by hand are preserved."""

from collections.abc import Callable
from pathlib import Path

from tests.deploy.conftest import Run
from tests.deploy.scaling_support import SCALABLE_TARGET, read_scaling
from tests.deploy.support import (
    NEW_INSTANCE_TYPE,
    POLL,
    WITHOUT_SCALING,
    list_mutations,
    reject_update,
)
from tests.support.aws_emulator.server import Emulator

FROM_ZERO = {
    "instance_count: 2": (
        "instance_count: 2\n  allow_single_zone: true\n"
        "  asynchronous: {output: s3://example-models/replies}"
    ),
    "metric: invocations_per_instance": "metric: backlog_per_instance",
    "min: 2": "min: 0",
    "strategy: rolling": "strategy: all_at_once",
    "target: 3000": "target: 5",
}


def test_suspended_scaling(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """Suspended scaling remains suspended after a change of the instance type."""
    run("up", write_config(), *POLL)
    suspended = {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    emulator.client("application-autoscaling").register_scalable_target(
        **SCALABLE_TARGET, SuspendedState=suspended
    )
    outcome = run("up", write_config(NEW_INSTANCE_TYPE), *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert "DeregisterScalableTarget" in list_mutations(emulator)
    assert read_scaling(emulator)[0]["SuspendedState"] == suspended


def test_disabled_alarm_actions(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Disabled alarm actions remain disabled after a rejected update."""
    run("up", write_config(FROM_ZERO), *POLL)
    cloudwatch, names = emulator.client("cloudwatch"), ["diamonds-backlog-without-capacity"]
    cloudwatch.disable_alarm_actions(AlarmNames=names)
    emulator.recorder.reset()
    emulator.recorder.inject_fault = reject_update
    outcome = run("up", write_config({**FROM_ZERO, **NEW_INSTANCE_TYPE}), *POLL)

    assert outcome.exit_code == 1
    assert "PutMetricAlarm" in list_mutations(emulator)
    assert (
        cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"][0]["ActionsEnabled"] is False
    )


def test_foreign_target(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """A scalable target without a policy of this program is not changed."""
    bare = write_config(WITHOUT_SCALING)
    run("up", bare, *POLL)
    emulator.client("application-autoscaling").register_scalable_target(
        **SCALABLE_TARGET, MinCapacity=3, MaxCapacity=9
    )
    emulator.recorder.reset()
    outcome = run("up", bare, *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert list_mutations(emulator) == []
    assert read_scaling(emulator)[0]["MaxCapacity"] == 9
