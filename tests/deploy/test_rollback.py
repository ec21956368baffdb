"""The way back, and what comes while an update is under way."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_faults import DEAD
from tests.deploy.test_life import POLL, left, mutations
from tests.support.aws_emulator.recorder import Fault
from tests.support.aws_emulator.server import Emulator


def test_the_way_back_is_an_update_like_any(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Rollback goes in the file's steps under its alarms, but for one that rings already, which would end it at once."""
    config_file = write_config({"strategy: rolling": "strategy: canary"})
    run("up", config_file, *POLL)
    run("up", write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"}), *POLL)
    emulator.client("cloudwatch").set_alarm_state(
        AlarmName="diamonds-errors-5xx", StateValue="ALARM", StateReason="a test"
    )
    back = run(
        "rollback",
        write_config({"strategy: rolling": "strategy: canary", "p99_ms: 500": "p99_ms: 900"}),
        "--yes",
        *POLL,
    )
    sent = next(
        call.parameters
        for call in reversed(emulator.recorder.calls)
        if call.operation == "UpdateEndpoint"
    )
    threshold = emulator.client("cloudwatch").describe_alarms(AlarmNames=["diamonds-latency-p99"])[
        "MetricAlarms"
    ][0]["Threshold"]

    assert back.exit_code == 0, back.output
    assert (
        sent["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"]
        == "CANARY"
    )
    assert sent["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"] == [
        {"AlarmName": "diamonds-latency-p99"}
    ]
    assert "the alarm diamonds-errors-5xx rings already" in back.output
    assert threshold == 900_000


def test_a_way_back_that_fails(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A rollback that AWS rolls back is a failure that says so, and can be tried again."""
    run("up", write_config(), *POLL)
    changed = write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"})
    run("up", changed, *POLL)
    emulator.transitions = [("Updating", False), ("RollingBack", False), ("InService", False)]
    failed = run("rollback", changed, "--yes", *POLL)
    emulator.transitions = []
    again = run("rollback", changed, "--yes", *POLL)

    assert failed.exit_code == 1
    assert "rolled back: the alarm diamonds-errors-5xx went off" in failed.output
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize("status", ["Updating", "RollingBack"])
def test_rollback_while_an_update_is_under_way(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], status: str
) -> None:
    """While an update is under way rollback refuses in one line, and changes nothing; plan says that up would wait."""
    run("up", write_config(), *POLL)
    changed = write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"})
    run("up", changed, *POLL)
    begin_update(emulator, [(status, False)] * 10)
    emulator.recorder.reset()
    refused, planned = run("rollback", changed, "--yes", *POLL), run("plan", changed)

    assert refused.exit_code == 1
    assert (
        f"the endpoint diamonds is {status}, and AWS takes no other update meanwhile"
        in refused.output
    )
    assert len(refused.output.splitlines()) == 1
    assert mutations(emulator) == []
    assert f"diamonds is {status}: up waits for that first" in planned.output


def test_rollback_without_an_endpoint(run: Run, config_file: Path) -> None:
    """Without an endpoint there is nothing to take back, whatever config is named."""
    assert (
        "there is no endpoint diamonds to take back"
        in run("rollback", config_file, "--to", "diamonds-1", "--yes").output
    )


def test_up_waits_for_an_update_under_way(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Up that finds its own update under way, as after a kill, waits for it and starts no other."""
    run("up", write_config(), *POLL)
    old = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
        "EndpointConfigName"
    ]
    changed = write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"})
    run("up", changed, *POLL)
    run("rollback", changed, "--yes", "--to", old, *POLL)
    begin_update(emulator, [("Updating", False), ("Updating", False), ("InService", True)])
    emulator.recorder.reset()
    outcome = run("up", changed, *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert f"diamonds is Updating, 2 of 2 instances, {old}" in outcome.output
    assert mutations(emulator) == ["AddTags"]  # what serves, and what is left


@pytest.mark.parametrize("fault", [Fault("AccessDenied", "no"), DEAD], ids=["refused", "killed"])
def test_a_rollback_that_breaks_off_before_its_tag(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], fault: Fault
) -> None:
    """Run again, a rollback that took effect is finished, and goes on to nothing else; the next one goes forward."""
    run("up", write_config(), *POLL)
    old = running(emulator)
    changed = write_config({"1.0.0": "2.0.0"})
    run("up", changed, *POLL)
    new = running(emulator)
    emulator.recorder.inject_fault = lambda call, _: fault if call.operation == "AddTags" else None
    broken = run("rollback", changed, "--yes", *POLL)
    emulator.recorder.reset()
    again, serving = run("rollback", changed, "--yes", *POLL), running(emulator)
    updates = mutations(emulator)
    forth = run("rollback", changed, "--yes", *POLL)

    assert broken.exit_code == 1
    assert again.exit_code == 0, again.output
    assert f"{old} serves already" in again.output
    assert serving == old
    assert updates == ["AddTags"]
    assert new in forth.output.splitlines()[-1]


def test_the_way_back_to_what_was_made_by_hand(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """After an update by hand up removes nothing, since it does not know of what that was made, and rollback goes back to it."""
    for version in ("1.0.0", "2.0.0"):
        run("up", write_config({"1.0.0": version}), *POLL)
    sagemaker, before = emulator.client("sagemaker"), left(emulator)
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=running(emulator))[
        "ProductionVariants"
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="byhand", ProductionVariants=variants)
    sagemaker.update_endpoint(EndpointName="diamonds", EndpointConfigName="byhand")
    sagemaker.describe_endpoint(EndpointName="diamonds")
    third = write_config({"1.0.0": "3.0.0"})
    outcome = run("up", third, *POLL)
    after = left(emulator)
    back = run("rollback", third, "--yes", *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert set(before) <= set(after)
    assert back.exit_code == 0, back.output
    assert running(emulator) == "byhand"


def running(emulator: Emulator) -> str:
    return str(
        emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
            "EndpointConfigName"
        ]
    )


def begin_update(emulator: Emulator, transitions: list[tuple[str, bool]]) -> None:
    """Begin an update to the config that does not serve, as from another terminal."""
    sagemaker = emulator.client("sagemaker")
    serving = sagemaker.describe_endpoint(EndpointName="diamonds")["EndpointConfigName"]
    configs = [
        one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]
    ]
    emulator.transitions = transitions
    sagemaker.update_endpoint(
        EndpointName="diamonds", EndpointConfigName=next(one for one in configs if one != serving)
    )
