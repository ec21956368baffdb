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
from tests.deploy.test_kinds import SCALING, sent
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.server import StandIn
from tests.support.aws_emulator.wire import Fault, Sent

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


def theirs(stand_in: StandIn) -> None:
    """Change the target by hand, and add a policy and a scheduled action, as others do."""
    scaling = stand_in.client("application-autoscaling")
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


def scaling_of(stand_in: StandIn) -> list[dict[str, Any]]:
    """Return the target with all that is on it, but for what AWS makes anew."""
    scaling, place = stand_in.client("application-autoscaling"), {"ServiceNamespace": "sagemaker"}
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


def names(stand_in: StandIn) -> list[str]:
    """Return the policies and scheduled actions that are there."""
    return [
        one.get("PolicyName") or one["ScheduledActionName"]
        for one in scaling_of(stand_in)
        if "MinCapacity" not in one
    ]


def refusing(sent: Sent, _: int) -> Fault | None:
    """Refuse the update for a quota."""
    return (
        Fault("ResourceLimitExceeded", "no more ml.c7i.large")
        if sent.operation == "UpdateEndpoint"
        else None
    )


def losing() -> Callable[[Sent, int], Fault | None]:
    """Lose the answer of the call that takes scaling off."""
    return lambda sent, _: LOST if sent.operation == "DeregisterScalableTarget" else None


def interrupting() -> Callable[[Sent, int], Fault | None]:
    """Press Ctrl-C once, while the update is waited for."""
    seen: list[str] = []

    def fault(sent: Sent, _: int) -> None:
        seen.append(sent.operation)
        if (
            sent.operation == "DescribeEndpoint"
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
def test_as_it_was(stand_in: StandIn, run: Run, write: Callable[..., Path], why: str) -> None:
    """An update to another instance type that comes to nothing leaves scaling as it was, and not as the new file says."""
    run("up", write(), *POLL)
    theirs(stand_in)
    before = scaling_of(stand_in)
    stand_in.story = [("Updating", False), ("RollingBack", False), ("InService", False)]
    faults = {"refused": refusing, "lost": losing(), "interrupted": interrupting()}
    stand_in.wire.fault = faults.get(why, stand_in.wire.fault)
    outcome = run(
        "up", write({**RETYPED, SCALING: ""} if "without" in why else OTHER_SCALING), *POLL
    )

    assert outcome.exit_code == 1
    assert "DeregisterScalableTarget" in mutations(stand_in)
    assert scaling_of(stand_in) == before
    assert {"refused": "no more ml.c7i.large", "interrupted": "scaling is on again"}.get(
        why, ""
    ) in outcome.output


def test_it_says_that_scaling_is_off(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """Where scaling cannot be put on again, the failure says so beside its own reason, and so does status."""
    run("up", write(), *POLL)
    stand_in.wire.fault = lambda sent, _: (
        Fault("AccessDeniedException")
        if sent.operation in ("UpdateEndpoint", "RegisterScalableTarget")
        else None
    )
    outcome, status = run("up", write(RETYPED), *POLL), run("status", write())

    assert "not allowed: UpdateEndpoint" in outcome.output
    assert (
        "scaling is off, as it could not be put on again (not allowed: RegisterScalableTarget"
        in outcome.output
    )
    assert "off, though the file has it" in status.output


@pytest.mark.parametrize("verb", ["up", "rollback"])
def test_what_others_made_stays(
    stand_in: StandIn, run: Run, write: Callable[..., Path], verb: str
) -> None:
    """After another instance type, there and back, policies and scheduled actions of others are there again."""
    run("up", write(), *POLL)
    run("up", write(OTHER_SCALING), *POLL)
    theirs(stand_in)
    before = scaling_of(stand_in)
    outcome = (
        run("up", write(), *POLL) if verb == "up" else run("rollback", write(), "--yes", *POLL)
    )
    target = scaling_of(stand_in)[0]

    assert outcome.exit_code == 0, outcome.output
    assert (target["MinCapacity"], target["MaxCapacity"]) == ((2, 6) if verb == "up" else (3, 9))
    assert names(stand_in) == ["theirs", "xgb-endpoint-target-tracking", "mornings"]
    assert verb == "up" or scaling_of(stand_in) == before


def test_scaling_leaves_the_file(stand_in: StandIn, run: Run, write: Callable[..., Path]) -> None:
    """A file without scaling takes off only what this program made; down says what of others goes with the target."""
    run("up", write(), *POLL)
    theirs(stand_in)
    bare = write({SCALING: ""})
    outcome, again, between = run("up", bare, *POLL), run("plan", bare), names(stand_in)
    down = run("down", bare)

    assert outcome.exit_code == 0, outcome.output
    assert between == ["theirs", "mornings"]
    assert "nothing to do" in again.output
    assert (
        "remove scaling, and with it of others: the policy theirs, the scheduled action mornings"
        in down.output
    )


def test_the_way_back_after_a_kill(stand_in: StandIn, run: Run, write: Callable[..., Path]) -> None:
    """Killed when scaling is off: rollback says that it is off, and puts it on as the file says."""
    run("up", write(), *POLL)
    run("up", write({"1.0.0": "2.0.0"}), *POLL)
    stand_in.wire.reset()
    gone = ("DeregisterScalableTarget",)
    stand_in.wire.fault = lambda sent, _: (
        LOST if sent.operation in gone else DEAD if gone[0] in mutations(stand_in) else None
    )
    run("up", write(RETYPED), *POLL)
    stand_in.wire.reset()
    off = names(stand_in)
    back = run("rollback", write(), "--yes", *POLL)

    assert off == []
    assert back.exit_code == 0, back.output
    assert "scaling is off" in back.output
    assert names(stand_in) == ["xgb-endpoint-target-tracking"]
    assert (
        sent(stand_in, "UpdateEndpoint")["RetainAllVariantProperties"] is True
    )  # with as many instances as scaling had found


def test_from_serverless_for_good(stand_in: StandIn, run: Run, write: Callable[..., Path]) -> None:
    """Scaling comes with the instances of an endpoint that was serverless; AWS takes no way back, which plan and rollback say."""
    run("up", write(SERVERLESS), *POLL)
    planned, there = run("plan", write()), run("up", write(), *POLL)
    scaling = names(stand_in)
    stand_in.wire.reset()
    back, forth = run("rollback", write(), "--yes", *POLL), run("up", write(SERVERLESS), *POLL)

    assert "for good: AWS makes no serverless endpoint of one with instances" in planned.output
    assert there.exit_code == 0, there.output
    assert scaling == ["xgb-endpoint-target-tracking"]
    for refused in (back, forth):
        assert (
            "diamonds is a real-time endpoint, and AWS makes no serverless one of it"
            in refused.output
        )
    assert mutations(stand_in) == []


def test_the_way_back_keeps_the_number_of_instances(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """Rollback keeps what scaling has found, but not whether payloads are captured."""
    run("up", write(), *POLL)
    run("up", write({"1.0.0": "2.0.0"}), *POLL)
    run("rollback", write(), "--yes", *POLL)
    update = sent(stand_in, "UpdateEndpoint")

    assert update["RetainAllVariantProperties"] is True
    assert {"VariantPropertyType": "DataCaptureConfig"} in update[
        "ExcludeRetainedVariantProperties"
    ]
