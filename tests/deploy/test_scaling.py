"""Scaling that must be off for an update is on again after it, whatever comes between."""

import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_faults import DEAD, LOST, RETYPED
from tests.deploy.test_kinds import SCALING, last_parameters
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import Emulator

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/diamonds/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
STEP = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
}
SERVERLESS = {"instance_count: 2": "serverless: {memory_mb: 2048, max_concurrency: 5}", SCALING: ""}
OTHER_SCALING = {**RETYPED, "  max: 6": "  max: 7", "target: 3000": "target: 2000"}


def theirs(emulator: Emulator) -> None:
    """Change the target by hand, and add a policy and a scheduled action, as others do."""
    scaling = emulator.client("application-autoscaling")
    scaling.register_scalable_target(
        **TARGET, MinCapacity=3, MaxCapacity=9, SuspendedState={"DynamicScalingInSuspended": True}
    )
    scaling.put_scaling_policy(
        **TARGET, PolicyName="theirs", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEP
    )
    scaling.put_scheduled_action(
        **TARGET, ScheduledActionName="mornings", Schedule="cron(0 8 * * ? *)", Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 5}, EndTime=datetime(2126, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def scaling_of(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the target with all that is on it, but for what AWS makes anew."""
    scaling, place = emulator.client("application-autoscaling"), {"ServiceNamespace": "sagemaker"}
    found = [
        *scaling.describe_scalable_targets(**place)["ScalableTargets"],
        *sorted(
            scaling.describe_scaling_policies(**place)["ScalingPolicies"],
            key=lambda policy: str(policy["PolicyName"]),
        ),
        *scaling.describe_scheduled_actions(**place)["ScheduledActions"],
    ]
    anew = {"CreationTime", "ScalableTargetARN", "PolicyARN", "ScheduledActionARN", "Alarms"}
    return [{key: value for key, value in one.items() if key not in anew} for one in found]


def names(emulator: Emulator) -> list[str]:
    """Return the policies and scheduled actions that are there."""
    return [
        one.get("PolicyName") or one["ScheduledActionName"]
        for one in scaling_of(emulator)
        if "MinCapacity" not in one
    ]


def refusing(call: ApiCall, _: int) -> Fault | None:
    """Refuse the update for a quota."""
    return (
        Fault("ResourceLimitExceeded", "no more ml.c7i.large")
        if call.operation == "UpdateEndpoint"
        else None
    )


def losing() -> Callable[[ApiCall, int], Fault | None]:
    """Lose the answer of the call that takes scaling off."""
    return lambda call, _: LOST if call.operation == "DeregisterScalableTarget" else None


def interrupting() -> Callable[[ApiCall, int], Fault | None]:
    """Press Ctrl-C once, while the update is waited for."""
    seen: list[str] = []

    def fault(call: ApiCall, _: int) -> None:
        seen.append(call.operation)
        if (
            call.operation == "DescribeEndpoint"
            and "UpdateEndpoint" in seen
            and "interrupt" not in seen
        ):
            seen.append("interrupt")
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    return fault


@pytest.mark.parametrize(
    "why",
    ["refused", "lost", "interrupted", "rolled back", "rolled back, without scaling in the file"],
)
def test_as_it_was(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], why: str
) -> None:
    """An update to another instance type that comes to nothing leaves scaling as it was, and not as the new file says."""
    run("up", write_config(), *POLL)
    theirs(emulator)
    before = scaling_of(emulator)
    emulator.transitions = [("Updating", False), ("RollingBack", False), ("InService", False)]
    faults = {"refused": refusing, "lost": losing(), "interrupted": interrupting()}
    emulator.recorder.inject_fault = faults.get(why, emulator.recorder.inject_fault)
    outcome = run(
        "up", write_config({**RETYPED, SCALING: ""} if "without" in why else OTHER_SCALING), *POLL
    )

    assert outcome.exit_code == 1
    assert "DeregisterScalableTarget" in mutations(emulator)
    assert scaling_of(emulator) == before
    assert {"refused": "no more ml.c7i.large", "interrupted": "scaling is on again"}.get(
        why, ""
    ) in outcome.output


def test_it_says_that_scaling_is_off(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Where scaling cannot be put on again, the failure says so beside its own reason, and so does status."""
    run("up", write_config(), *POLL)
    emulator.recorder.inject_fault = lambda call, _: (
        Fault("AccessDeniedException")
        if call.operation in ("UpdateEndpoint", "RegisterScalableTarget")
        else None
    )
    outcome, status = run("up", write_config(RETYPED), *POLL), run("status", write_config())

    assert "access denied: UpdateEndpoint" in outcome.output
    assert (
        "scaling is off, as it could not be put on again (access denied: RegisterScalableTarget"
        in outcome.output
    )
    assert "off, though the file has it" in status.output


@pytest.mark.parametrize("verb", ["up", "rollback"])
def test_what_others_made_stays(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], verb: str
) -> None:
    """After another instance type, there and back, policies and scheduled actions of others are there again."""
    run("up", write_config(), *POLL)
    run("up", write_config(OTHER_SCALING), *POLL)
    theirs(emulator)
    before = scaling_of(emulator)
    outcome = (
        run("up", write_config(), *POLL)
        if verb == "up"
        else run("rollback", write_config(), "--yes", *POLL)
    )
    target = scaling_of(emulator)[0]

    assert outcome.exit_code == 0, outcome.output
    assert (target["MinCapacity"], target["MaxCapacity"]) == ((2, 6) if verb == "up" else (3, 9))
    assert names(emulator) == ["theirs", "xgb-endpoint-target-tracking", "mornings"]
    assert verb == "up" or scaling_of(emulator) == before


def test_scaling_leaves_the_file(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A file without scaling takes off only what this program made; down says what of others goes with the target."""
    run("up", write_config(), *POLL)
    theirs(emulator)
    bare = write_config({SCALING: ""})
    outcome, again, between = run("up", bare, *POLL), run("plan", bare), names(emulator)
    down = run("down", bare)

    assert outcome.exit_code == 0, outcome.output
    assert between == ["theirs", "mornings"]
    assert "nothing to do" in again.output
    assert (
        "remove scaling, and with it of others: the policy theirs, the scheduled action mornings"
        in down.output
    )


def test_the_way_back_after_a_kill(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Killed when scaling is off: rollback says that it is off, and puts it on as the file says."""
    run("up", write_config(), *POLL)
    run("up", write_config({"1.0.0": "2.0.0"}), *POLL)
    emulator.recorder.reset()
    gone = ("DeregisterScalableTarget",)
    emulator.recorder.inject_fault = lambda call, _: (
        LOST if call.operation in gone else DEAD if gone[0] in mutations(emulator) else None
    )
    run("up", write_config(RETYPED), *POLL)
    emulator.recorder.reset()
    off = names(emulator)
    back = run("rollback", write_config(), "--yes", *POLL)

    assert off == []
    assert back.exit_code == 0, back.output
    assert "scaling is off" in back.output
    assert names(emulator) == ["xgb-endpoint-target-tracking"]
    assert (
        last_parameters(emulator, "UpdateEndpoint")["RetainAllVariantProperties"] is True
    )  # with as many instances as scaling had found


def test_from_serverless_for_good(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Scaling comes with the instances of an endpoint that was serverless; AWS takes no way back, which plan and rollback say."""
    run("up", write_config(SERVERLESS), *POLL)
    planned, there = run("plan", write_config()), run("up", write_config(), *POLL)
    scaling = names(emulator)
    emulator.recorder.reset()
    back, forth = (
        run("rollback", write_config(), "--yes", *POLL),
        run("up", write_config(SERVERLESS), *POLL),
    )

    assert "for good: AWS makes no serverless endpoint of one with instances" in planned.output
    assert there.exit_code == 0, there.output
    assert scaling == ["xgb-endpoint-target-tracking"]
    for refused in (back, forth):
        assert (
            "diamonds is a real-time endpoint, and AWS makes no serverless one of it"
            in refused.output
        )
    assert mutations(emulator) == []


def test_the_way_back_keeps_the_number_of_instances(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Rollback keeps what scaling has found, but not whether payloads are captured."""
    run("up", write_config(), *POLL)
    run("up", write_config({"1.0.0": "2.0.0"}), *POLL)
    run("rollback", write_config(), "--yes", *POLL)
    update = last_parameters(emulator, "UpdateEndpoint")

    assert update["RetainAllVariantProperties"] is True
    assert {"VariantPropertyType": "DataCaptureConfig"} in update[
        "ExcludeRetainedVariantProperties"
    ]
