"""Scaling that is detached for an update is attached again, whatever the outcome."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.scaling_support import customize_scaling, list_scaling_names, read_scaling
from tests.deploy.support import (
    NEW_INSTANCE_TYPE,
    POLL,
    RESPONSE_LOST,
    ROLLED_BACK,
    SCALING,
    SECOND_VERSION,
    WITHOUT_SCALING,
    find_last_parameters,
    kill_after,
    list_mutations,
    reject_update,
)
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import Emulator

SERVERLESS = {"instance_count: 2": "serverless: {memory_mb: 2048, max_concurrency: 5}", SCALING: ""}
OTHER_SCALING = {**NEW_INSTANCE_TYPE, "  max: 6": "  max: 7", "target: 3000": "target: 2000"}


def lose_detach_response() -> Callable[[ApiCall, int], Fault | None]:
    """Lose the response of the call that detaches scaling."""
    return lambda call, _: RESPONSE_LOST if call.operation == "DeregisterScalableTarget" else None


def interrupt_update() -> Callable[[ApiCall, int], Fault | None]:
    """Send SIGINT once, during the wait for the update."""
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
    "failure",
    ["rejected", "lost", "interrupted", "rolled back", "rolled back, without scaling in the file"],
)
def test_failed_update_restores_scaling(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], failure: str
) -> None:
    """A failed update to another instance type restores scaling as it was before."""
    run("up", write_config(), *POLL)
    customize_scaling(emulator)
    before = read_scaling(emulator)
    emulator.transitions = ROLLED_BACK
    faults = {
        "rejected": reject_update,
        "lost": lose_detach_response(),
        "interrupted": interrupt_update(),
    }
    emulator.recorder.inject_fault = faults.get(failure, emulator.recorder.inject_fault)
    outcome = run(
        "up",
        write_config({**NEW_INSTANCE_TYPE, SCALING: ""} if "without" in failure else OTHER_SCALING),
        *POLL,
    )

    assert outcome.exit_code == 1
    assert "DeregisterScalableTarget" in list_mutations(emulator)
    assert read_scaling(emulator) == before
    assert {"rejected": "no more ml.c7i.large", "interrupted": "scaling was restored"}.get(
        failure, ""
    ) in outcome.output


def test_scaling_cannot_be_restored(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """If scaling cannot be restored, the error and status say that it is detached."""
    run("up", write_config(), *POLL)
    emulator.recorder.inject_fault = lambda call, _: (
        Fault("AccessDeniedException")
        if call.operation in ("UpdateEndpoint", "RegisterScalableTarget")
        else None
    )
    outcome, status = (
        run("up", write_config(NEW_INSTANCE_TYPE), *POLL),
        run("status", write_config()),
    )

    assert "access denied: UpdateEndpoint" in outcome.output
    assert (
        "scaling is detached and could not be restored (access denied: RegisterScalableTarget"
        in outcome.output
    )
    assert "scaling        not attached; attach it with python -m deploy up" in status.output


@pytest.mark.parametrize("verb", ["up", "rollback"])
def test_foreign_scaling_is_restored(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], verb: str
) -> None:
    """Policies and scheduled actions that users added survive a change of the instance type."""
    run("up", write_config(), *POLL)
    run("up", write_config(OTHER_SCALING), *POLL)
    customize_scaling(emulator)
    before = read_scaling(emulator)
    outcome = (
        run("up", write_config(), *POLL)
        if verb == "up"
        else run("rollback", write_config(), "--yes", *POLL)
    )
    target = read_scaling(emulator)[0]

    assert outcome.exit_code == 0, outcome.output
    assert (target["MinCapacity"], target["MaxCapacity"]) == ((2, 6) if verb == "up" else (3, 9))
    assert list_scaling_names(emulator) == ["theirs", "xgb-endpoint-target-tracking", "mornings"]
    assert verb == "up" or read_scaling(emulator) == before


def test_scaling_removed_from_file(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A file without scaling deletes only this program's policy; down lists what others added."""
    run("up", write_config(), *POLL)
    customize_scaling(emulator)
    bare = write_config(WITHOUT_SCALING)
    outcome, again, between = (
        run("up", bare, *POLL),
        run("plan", bare),
        list_scaling_names(emulator),
    )
    down = run("down", bare)

    assert outcome.exit_code == 0, outcome.output
    assert between == ["theirs", "mornings"]
    assert "nothing to do" in again.output
    assert (
        "delete scaling, including what this program did not create "
        "(the policy theirs, the scheduled action mornings)" in down.output
    )


def test_rollback_after_kill(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """After a kill while scaling is detached, rollback attaches it as the file configures it."""
    run("up", write_config(), *POLL)
    run("up", write_config(SECOND_VERSION), *POLL)
    kill_after(emulator, "DeregisterScalableTarget")
    run("up", write_config(NEW_INSTANCE_TYPE), *POLL)
    emulator.recorder.reset()
    detached = list_scaling_names(emulator)
    back = run("rollback", write_config(), "--yes", *POLL)

    assert detached == []
    assert back.exit_code == 0, back.output
    assert "scaling is not attached" in back.output
    assert list_scaling_names(emulator) == ["xgb-endpoint-target-tracking"]
    assert (
        find_last_parameters(emulator, "UpdateEndpoint")["RetainAllVariantProperties"] is True
    )  # the number that scaling had set


def test_serverless_to_instances_is_permanent(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A serverless endpoint gets instances and scaling; plan and rollback say it is permanent."""
    run("up", write_config(SERVERLESS), *POLL)
    planned, updated = run("plan", write_config()), run("up", write_config(), *POLL)
    scaling = list_scaling_names(emulator)
    emulator.recorder.reset()
    rolled_back, reverted = (
        run("rollback", write_config(), "--yes", *POLL),
        run("up", write_config(SERVERLESS), *POLL),
    )

    assert (
        "permanently: AWS does not convert an endpoint with instances to serverless"
        in planned.output
    )
    assert updated.exit_code == 0, updated.output
    assert scaling == ["xgb-endpoint-target-tracking"]
    for rejected in (rolled_back, reverted):
        assert "AWS does not convert real-time endpoints to serverless" in rejected.output
    assert list_mutations(emulator) == []


def test_rollback_keeps_number_of_instances(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A rollback retains the number of instances, but not the data capture settings."""
    run("up", write_config(), *POLL)
    run("up", write_config(SECOND_VERSION), *POLL)
    run("rollback", write_config(), "--yes", *POLL)
    update = find_last_parameters(emulator, "UpdateEndpoint")

    assert update["RetainAllVariantProperties"] is True
    assert {"VariantPropertyType": "DataCaptureConfig"} in update[
        "ExcludeRetainedVariantProperties"
    ]
