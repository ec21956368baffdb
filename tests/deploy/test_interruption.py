"""An interrupted or failed run restores scaling and alarms, and reports what it could not."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.scaling_support import customize_scaling, read_scaling
from tests.deploy.support import NEW_INSTANCE_TYPE, POLL, list_resources, reject_update
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import Emulator


@pytest.fixture
def ignored_signals() -> Iterator[None]:
    """Keep signals that a test sends from ending the test run."""
    previous_handlers = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    yield
    for number, handler in previous_handlers.items():
        signal.signal(number, handler)


def send_signals(signals: dict[str, signal.Signals]) -> Callable[[ApiCall, int], Fault | None]:
    """Send each signal once, at its operation, after scaling has been detached."""
    seen: list[str] = []

    def fault(call: ApiCall, _: int) -> None:
        seen.append(call.operation)
        if "DeregisterScalableTarget" in seen and (number := signals.pop(call.operation, None)):
            signal.pthread_kill(threading.main_thread().ident or 0, number)
            time.sleep(0.05)

    return fault


@pytest.mark.parametrize(
    "signals",
    [
        {"DeregisterScalableTarget": signal.SIGINT},
        {
            "DescribeEndpoint": signal.SIGTERM,
            "RegisterScalableTarget": signal.SIGHUP,
            "PutScalingPolicy": signal.SIGINT,
        },
    ],
)
@pytest.mark.usefixtures("ignored_signals")
def test_signal(
    emulator: Emulator,
    run: Run,
    write_config: Callable[..., Path],
    signals: dict[str, signal.Signals],
) -> None:
    """A signal takes effect after the current call, and scaling is fully restored."""
    run("up", write_config(), *POLL)
    customize_scaling(emulator)
    before = read_scaling(emulator)
    emulator.transitions = [("Updating", False)] * 3 + [("InService", True)]
    emulator.recorder.inject_fault = send_signals(signals)
    outcome = run("up", write_config(NEW_INSTANCE_TYPE), *POLL)
    time.sleep(0.1)  # for a late call

    assert signals == {}
    assert outcome.exit_code == 1
    assert "interrupted after" in outcome.output
    assert "scaling was restored" in outcome.output
    assert read_scaling(emulator) == before


def test_signal_and_failed_restoration(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An interrupted run that cannot restore scaling says that it is detached."""
    run("up", write_config(), *POLL)
    interrupt = send_signals({"DeregisterScalableTarget": signal.SIGINT})

    def fault(call: ApiCall, count: int) -> Fault | None:
        interrupt(call, count)
        refusals = {
            "RegisterScalableTarget": Fault("AccessDeniedException"),
            "PutScalingPolicy": Fault("ObjectNotFoundException", "No scalable target registered"),
        }
        return refusals.get(call.operation)

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(NEW_INSTANCE_TYPE), *POLL)

    assert "interrupted after deregister_scalable_target" in outcome.output
    assert (
        "scaling is detached and could not be restored (access denied: RegisterScalableTarget"
        in outcome.output
    )
    assert (
        "not restored: register_scalable_target endpoint/diamonds/variant/AllTraffic, "
        "put_scaling_policy" in outcome.output
    )
    assert "is attached" not in outcome.output
    assert read_scaling(emulator) == []


def test_partly_failed_restoration(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """If one restoring call fails, the others still run, and only that call is reported."""
    run("up", write_config(), *POLL)
    customize_scaling(emulator)
    before = read_scaling(emulator)

    def fault(call: ApiCall, count: int) -> Fault | None:
        if call.operation == "PutScalingPolicy" and call.parameters["PolicyName"].startswith("xgb"):
            return Fault("ThrottlingException")
        return reject_update(call, count)

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(NEW_INSTANCE_TYPE), *POLL)

    assert "no more ml.c7i.large" in outcome.output
    assert "scaling is attached, but not restored (AWS throttled PutScalingPolicy" in outcome.output
    assert "): put_scaling_policy xgb-endpoint-target-tracking; run up" in outcome.output
    assert read_scaling(emulator) == [
        resource
        for resource in before
        if resource.get("PolicyName") != "xgb-endpoint-target-tracking"
    ]


def test_denied_deletion_restores_scaling(emulator: Emulator, run: Run, config_file: Path) -> None:
    """If the endpoint cannot be deleted, scaling and alarms are restored; down works later."""
    run("up", config_file, *POLL)
    customize_scaling(emulator)
    scaling_before, all_before = read_scaling(emulator), list_resources(emulator)
    emulator.recorder.inject_fault = lambda call, _: (
        Fault("AccessDeniedException") if call.operation == "DeleteEndpoint" else None
    )
    denied, scaling_after, all_after = (
        run("down", config_file, "--yes", *POLL),
        read_scaling(emulator),
        list_resources(emulator),
    )
    emulator.recorder.reset()
    removed = run("down", config_file, "--yes", *POLL)

    assert "access denied: DeleteEndpoint" in denied.output
    assert (
        "register_scalable_target endpoint/diamonds/variant/AllTraffic: restore scaling"
        in denied.output
    )
    assert (scaling_after, sorted(all_after)) == (scaling_before, sorted(all_before))
    assert removed.exit_code == 0, removed.output
    assert list_resources(emulator) == []
