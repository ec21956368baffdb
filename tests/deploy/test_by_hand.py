"""What somebody set by hand at scaling outlasts what this program does."""

from collections.abc import Callable
from pathlib import Path

from tests.deploy.conftest import Run
from tests.deploy.test_faults import RETYPED
from tests.deploy.test_kinds import SCALING
from tests.deploy.test_life import POLL, mutations
from tests.deploy.test_scaling import TARGET, refusing, scaling_of
from tests.support.aws_emulator.server import Emulator

FROM_ZERO = {
    "instance_count: 2": "instance_count: 2\n  allow_single_zone: true\n  asynchronous: {output: s3://example-models/replies}",
    "metric: invocations_per_instance": "metric: backlog_per_instance",
    "min: 2": "min: 0",
    "strategy: rolling": "strategy: all_at_once",
    "target: 3000": "target: 5",
}


def test_suspended_scaling(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """Scaling that was suspended by hand is suspended after another instance type too."""
    run("up", write_config(), *POLL)
    suspended = {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    emulator.client("application-autoscaling").register_scalable_target(
        **TARGET, SuspendedState=suspended
    )
    outcome = run("up", write_config(RETYPED), *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert "DeregisterScalableTarget" in mutations(emulator)
    assert scaling_of(emulator)[0]["SuspendedState"] == suspended


def test_an_alarm_whose_actions_are_off(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An alarm whose actions were disabled by hand starts no instance after an update that was refused."""
    run("up", write_config(FROM_ZERO), *POLL)
    cloudwatch, names = emulator.client("cloudwatch"), ["diamonds-backlog-without-capacity"]
    cloudwatch.disable_alarm_actions(AlarmNames=names)
    emulator.recorder.reset()
    emulator.recorder.inject_fault = refusing
    outcome = run("up", write_config({**FROM_ZERO, **RETYPED}), *POLL)

    assert outcome.exit_code == 1
    assert "PutMetricAlarm" in mutations(emulator)
    assert (
        cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"][0]["ActionsEnabled"] is False
    )


def test_a_target_of_others(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A target without a policy of this program's is left alone by a file without scaling."""
    bare = write_config({SCALING: ""})
    run("up", bare, *POLL)
    emulator.client("application-autoscaling").register_scalable_target(
        **TARGET, MinCapacity=3, MaxCapacity=9
    )
    emulator.recorder.reset()
    outcome = run("up", bare, *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert mutations(emulator) == []
    assert scaling_of(emulator)[0]["MaxCapacity"] == 9
