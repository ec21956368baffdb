"""A run that is broken off, or can go no further, leaves scaling and alarms as they were, and says so."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_faults import RETYPED
from tests.deploy.test_life import POLL, left
from tests.deploy.test_scaling import refusing, scaling_of, theirs
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import Emulator


@pytest.fixture
def survived() -> Iterator[None]:
    """Let no signal of a test end the tests."""
    before = {one: signal.signal(one, lambda *_: None) for one in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


def sending(signals: dict[str, signal.Signals]) -> Callable[[ApiCall, int], Fault | None]:
    """Send each signal once at an operation, once scaling is being taken off; the call lands a moment after."""
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
@pytest.mark.usefixtures("survived")
def test_a_signal(
    emulator: Emulator,
    run: Run,
    write_config: Callable[..., Path],
    signals: dict[str, signal.Signals],
) -> None:
    """Whatever a signal comes in, the call under way ends first, and scaling is put back whole."""
    run("up", write_config(), *POLL)
    theirs(emulator)
    before = scaling_of(emulator)
    emulator.transitions = [("Updating", False)] * 3 + [("InService", True)]
    emulator.recorder.inject_fault = sending(signals)
    outcome = run("up", write_config(RETYPED), *POLL)
    time.sleep(0.1)  # for what would land late

    assert signals == {}
    assert outcome.exit_code == 1
    assert "broken off after" in outcome.output
    assert "scaling is on again" in outcome.output
    assert scaling_of(emulator) == before


def test_a_signal_and_nothing_can_be_put_back(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Broken off, and refused what puts scaling on again, a run says that it is off."""
    run("up", write_config(), *POLL)
    interrupt = sending({"DeregisterScalableTarget": signal.SIGINT})

    def fault(call: ApiCall, count: int) -> Fault | None:
        interrupt(call, count)
        refusals = {
            "RegisterScalableTarget": Fault("AccessDeniedException"),
            "PutScalingPolicy": Fault("ObjectNotFoundException", "No scalable target registered"),
        }
        return refusals.get(call.operation)

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(RETYPED), *POLL)

    assert "broken off after deregister_scalable_target" in outcome.output
    assert (
        "scaling is off, as it could not be put on again (access denied: RegisterScalableTarget"
        in outcome.output
    )
    assert (
        "not made again: register_scalable_target endpoint/diamonds/variant/AllTraffic, put_scaling_policy"
        in outcome.output
    )
    assert "is on" not in outcome.output
    assert scaling_of(emulator) == []


def test_one_call_of_those_that_put_back(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Where one of the calls that put scaling back fails, the others are made, and just that one is named."""
    run("up", write_config(), *POLL)
    theirs(emulator)
    before = scaling_of(emulator)

    def fault(call: ApiCall, count: int) -> Fault | None:
        if call.operation == "PutScalingPolicy" and call.parameters["PolicyName"].startswith("xgb"):
            return Fault("ThrottlingException")
        return refusing(call, count)

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(RETYPED), *POLL)

    assert "no more ml.c7i.large" in outcome.output
    assert "scaling is on, but not made again (AWS throttled PutScalingPolicy" in outcome.output
    assert "): put_scaling_policy xgb-endpoint-target-tracking: up makes" in outcome.output
    assert scaling_of(emulator) == [
        one for one in before if one.get("PolicyName") != "xgb-endpoint-target-tracking"
    ]


def test_down_that_may_not_remove_the_endpoint(
    emulator: Emulator, run: Run, config_file: Path
) -> None:
    """Where the endpoint cannot be removed, it serves as before, with scaling and alarms, which down can still remove."""
    run("up", config_file, *POLL)
    theirs(emulator)
    before, all_before = scaling_of(emulator), left(emulator)
    emulator.recorder.inject_fault = lambda call, _: (
        Fault("AccessDeniedException") if call.operation == "DeleteEndpoint" else None
    )
    denied, after, all_after = (
        run("down", config_file, "--yes", *POLL),
        scaling_of(emulator),
        left(emulator),
    )
    emulator.recorder.reset()
    removed = run("down", config_file, "--yes", *POLL)

    assert "access denied: DeleteEndpoint" in denied.output
    assert (
        "register_scalable_target endpoint/diamonds/variant/AllTraffic: scale again, as before"
        in denied.output
    )
    assert (after, sorted(all_after)) == (before, sorted(all_before))
    assert removed.exit_code == 0, removed.output
    assert left(emulator) == []
