"""Rollbacks, and commands that run while an update is in progress."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.support import (
    FLASK_FRONTEND,
    POLL,
    ROLLED_BACK,
    SECOND_VERSION,
    THIRD_VERSION,
    UNAVAILABLE,
    find_last_parameters,
    find_serving_config,
    list_mutations,
    list_resources,
)
from tests.support.aws_emulator.recorder import Fault
from tests.support.aws_emulator.server import Emulator


def test_rollback_uses_update_strategy_and_alarms(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A rollback uses the file's strategy and alarms, except for an alarm in ALARM state."""
    config_file = write_config({"strategy: rolling": "strategy: canary"})
    run("up", config_file, *POLL)
    run("up", write_config(FLASK_FRONTEND), *POLL)
    emulator.client("cloudwatch").set_alarm_state(
        AlarmName="diamonds-errors-5xx", StateValue="ALARM", StateReason="a test"
    )
    back = run(
        "rollback",
        write_config({"strategy: rolling": "strategy: canary", "p99_ms: 500": "p99_ms: 900"}),
        "--yes",
        *POLL,
    )
    update = find_last_parameters(emulator, "UpdateEndpoint")
    threshold = emulator.client("cloudwatch").describe_alarms(AlarmNames=["diamonds-latency-p99"])[
        "MetricAlarms"
    ][0]["Threshold"]

    assert back.exit_code == 0, back.output
    assert (
        update["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"]
        == "CANARY"
    )
    assert update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"] == [
        {"AlarmName": "diamonds-latency-p99"}
    ]
    assert "the alarm diamonds-errors-5xx is in ALARM state" in back.output
    assert threshold == 900_000


def test_rollback_that_aws_rolls_back(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A rollback that AWS rolls back fails with the reason, and can be repeated."""
    run("up", write_config(), *POLL)
    changed = write_config(FLASK_FRONTEND)
    run("up", changed, *POLL)
    emulator.transitions = ROLLED_BACK
    failed = run("rollback", changed, "--yes", *POLL)
    emulator.transitions = []
    again = run("rollback", changed, "--yes", *POLL)

    assert failed.exit_code == 1
    assert "rolled back: the alarm diamonds-errors-5xx went off" in failed.output
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize("status", ["Updating", "RollingBack"])
def test_rollback_while_update_in_progress(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], status: str
) -> None:
    """While an update is in progress, rollback fails in one line, and plan says that up waits."""
    run("up", write_config(), *POLL)
    changed = write_config(FLASK_FRONTEND)
    run("up", changed, *POLL)
    begin_update(emulator, [(status, False)] * 10)
    emulator.recorder.reset()
    rejected, planned = run("rollback", changed, "--yes", *POLL), run("plan", changed)

    assert rejected.exit_code == 1
    assert (
        f"the endpoint diamonds is {status}, and AWS rejects updates until that has finished"
        in rejected.output
    )
    assert len(rejected.output.splitlines()) == 1
    assert list_mutations(emulator) == []
    assert (
        f"diamonds is {status}: up waits until this has finished, then plans again"
        in planned.output
    )


def test_rollback_without_an_endpoint(run: Run, config_file: Path) -> None:
    """Without an endpoint, rollback fails even if a config is given."""
    assert (
        "no endpoint diamonds to roll back"
        in run("rollback", config_file, "--to", "diamonds-1", "--yes").output
    )


def test_up_waits_for_update_in_progress(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Up waits for its own update from a killed run instead of starting another."""
    run("up", write_config(), *POLL)
    old = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
        "EndpointConfigName"
    ]
    changed = write_config(FLASK_FRONTEND)
    run("up", changed, *POLL)
    run("rollback", changed, "--yes", "--to", old, *POLL)
    begin_update(emulator, [("Updating", False), ("Updating", False), ("InService", True)])
    emulator.recorder.reset()
    outcome = run("up", changed, *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert f"diamonds: Updating, 2 of 2 instances, {old}" in outcome.output
    assert list_mutations(emulator) == ["AddTags"]  # which records the config in use


@pytest.mark.parametrize(
    "fault", [Fault("AccessDenied", "no"), UNAVAILABLE], ids=["rejected", "killed"]
)
def test_rollback_interrupted_before_tagging(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], fault: Fault
) -> None:
    """Repeating an interrupted rollback completes it; the next rollback reverts it."""
    run("up", write_config(), *POLL)
    old = find_serving_config(emulator)
    changed = write_config(SECOND_VERSION)
    run("up", changed, *POLL)
    new = find_serving_config(emulator)
    emulator.recorder.inject_fault = lambda call, _: fault if call.operation == "AddTags" else None
    interrupted = run("rollback", changed, "--yes", *POLL)
    emulator.recorder.reset()
    again, serving = run("rollback", changed, "--yes", *POLL), find_serving_config(emulator)
    updates = list_mutations(emulator)
    next_rollback = run("rollback", changed, "--yes", *POLL)

    assert interrupted.exit_code == 1
    assert again.exit_code == 0, again.output
    assert f"already uses {old}" in again.output
    assert serving == old
    assert updates == ["AddTags"]
    assert new in next_rollback.output.splitlines()[-1]


def test_rollback_to_config_created_by_hand(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """After an update by hand, up deletes nothing, and rollback restores that config."""
    for version in ("1.0.0", "2.0.0"):
        run("up", write_config({"1.0.0": version}), *POLL)
    sagemaker, before = emulator.client("sagemaker"), list_resources(emulator)
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=find_serving_config(emulator))[
        "ProductionVariants"
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="byhand", ProductionVariants=variants)
    sagemaker.update_endpoint(EndpointName="diamonds", EndpointConfigName="byhand")
    sagemaker.describe_endpoint(EndpointName="diamonds")
    third = write_config(THIRD_VERSION)
    outcome = run("up", third, *POLL)
    after = list_resources(emulator)
    back = run("rollback", third, "--yes", *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert set(before) <= set(after)
    assert back.exit_code == 0, back.output
    assert find_serving_config(emulator) == "byhand"


def begin_update(emulator: Emulator, transitions: list[tuple[str, bool]]) -> None:
    """Start an update to the config that does not serve, as another terminal would."""
    sagemaker = emulator.client("sagemaker")
    serving = sagemaker.describe_endpoint(EndpointName="diamonds")["EndpointConfigName"]
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    names = [config["EndpointConfigName"] for config in configs]
    emulator.transitions = transitions
    sagemaker.update_endpoint(
        EndpointName="diamonds", EndpointConfigName=next(name for name in names if name != serving)
    )
