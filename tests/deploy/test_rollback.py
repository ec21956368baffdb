"""The way back, and what comes while an update is under way."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_faults import DEAD
from tests.deploy.test_life import POLL, left, mutations
from tests.support.aws_emulator.server import StandIn
from tests.support.aws_emulator.wire import Fault


def test_the_way_back_is_an_update_like_any(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """Rollback goes in the file's steps under its alarms, but for one that rings already, which would end it at once."""
    file = write({"strategy: rolling": "strategy: canary"})
    run("up", file, *POLL)
    run("up", write({"environment: {}": "environment: {SERVE_FRONTEND: flask}"}), *POLL)
    stand_in.client("cloudwatch").set_alarm_state(
        AlarmName="diamonds-errors-5xx", StateValue="ALARM", StateReason="a test"
    )
    back = run(
        "rollback",
        write({"strategy: rolling": "strategy: canary", "p99_ms: 500": "p99_ms: 900"}),
        "--yes",
        *POLL,
    )
    sent = next(
        one.parameters for one in reversed(stand_in.wire.sent) if one.operation == "UpdateEndpoint"
    )
    threshold = stand_in.client("cloudwatch").describe_alarms(AlarmNames=["diamonds-latency-p99"])[
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


def test_a_way_back_that_fails(stand_in: StandIn, run: Run, write: Callable[..., Path]) -> None:
    """A rollback that AWS rolls back is a failure that says so, and can be tried again."""
    run("up", write(), *POLL)
    changed = write({"environment: {}": "environment: {SERVE_FRONTEND: flask}"})
    run("up", changed, *POLL)
    stand_in.story = [("Updating", False), ("RollingBack", False), ("InService", False)]
    failed = run("rollback", changed, "--yes", *POLL)
    stand_in.story = []
    again = run("rollback", changed, "--yes", *POLL)

    assert failed.exit_code == 1
    assert "rolled back: the alarm diamonds-errors-5xx went off" in failed.output
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize("status", ["Updating", "RollingBack"])
def test_rollback_while_an_update_is_under_way(
    stand_in: StandIn, run: Run, write: Callable[..., Path], status: str
) -> None:
    """While an update is under way rollback refuses in one line, and changes nothing; plan says that up would wait."""
    run("up", write(), *POLL)
    changed = write({"environment: {}": "environment: {SERVE_FRONTEND: flask}"})
    run("up", changed, *POLL)
    begin_update(stand_in, [(status, False)] * 10)
    stand_in.wire.reset()
    refused, planned = run("rollback", changed, "--yes", *POLL), run("plan", changed)

    assert refused.exit_code == 1
    assert (
        f"the endpoint diamonds is {status}, and AWS takes no other update meanwhile"
        in refused.output
    )
    assert len(refused.output.splitlines()) == 1
    assert mutations(stand_in) == []
    assert f"diamonds is {status}: up waits for that first" in planned.output


def test_rollback_without_an_endpoint(run: Run, file: Path) -> None:
    """Without an endpoint there is nothing to take back, whatever config is named."""
    assert (
        "there is no endpoint diamonds to take back"
        in run("rollback", file, "--to", "diamonds-1", "--yes").output
    )


def test_up_waits_for_an_update_under_way(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """Up that finds its own update under way, as after a kill, waits for it and starts no other."""
    run("up", write(), *POLL)
    old = stand_in.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
        "EndpointConfigName"
    ]
    changed = write({"environment: {}": "environment: {SERVE_FRONTEND: flask}"})
    run("up", changed, *POLL)
    run("rollback", changed, "--yes", "--to", old, *POLL)
    begin_update(stand_in, [("Updating", False), ("Updating", False), ("InService", True)])
    stand_in.wire.reset()
    outcome = run("up", changed, *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert f"diamonds is Updating, 2 of 2 instances, {old}" in outcome.output
    assert mutations(stand_in) == ["AddTags"]  # what serves, and what is left


@pytest.mark.parametrize("fault", [Fault("AccessDenied", "no"), DEAD], ids=["refused", "killed"])
def test_a_rollback_that_breaks_off_before_its_tag(
    stand_in: StandIn, run: Run, write: Callable[..., Path], fault: Fault
) -> None:
    """Run again, a rollback that took effect is finished, and goes on to nothing else; the next one goes forward."""
    run("up", write(), *POLL)
    old = running(stand_in)
    changed = write({"1.0.0": "2.0.0"})
    run("up", changed, *POLL)
    new = running(stand_in)
    stand_in.wire.fault = lambda sent, _: fault if sent.operation == "AddTags" else None
    broken = run("rollback", changed, "--yes", *POLL)
    stand_in.wire.reset()
    again, serving = run("rollback", changed, "--yes", *POLL), running(stand_in)
    updates = mutations(stand_in)
    forth = run("rollback", changed, "--yes", *POLL)

    assert broken.exit_code == 1
    assert again.exit_code == 0, again.output
    assert f"{old} serves already" in again.output
    assert serving == old
    assert updates == ["AddTags"]
    assert new in forth.output.splitlines()[-1]


def test_the_way_back_to_what_was_made_by_hand(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """After an update by hand up removes nothing, since it does not know of what that was made, and rollback goes back to it."""
    for version in ("1.0.0", "2.0.0"):
        run("up", write({"1.0.0": version}), *POLL)
    sagemaker, before = stand_in.client("sagemaker"), left(stand_in)
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=running(stand_in))[
        "ProductionVariants"
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="byhand", ProductionVariants=variants)
    sagemaker.update_endpoint(EndpointName="diamonds", EndpointConfigName="byhand")
    sagemaker.describe_endpoint(EndpointName="diamonds")
    third = write({"1.0.0": "3.0.0"})
    outcome = run("up", third, *POLL)
    after = left(stand_in)
    back = run("rollback", third, "--yes", *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert set(before) <= set(after)
    assert back.exit_code == 0, back.output
    assert running(stand_in) == "byhand"


def running(stand_in: StandIn) -> str:
    return str(
        stand_in.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
            "EndpointConfigName"
        ]
    )


def begin_update(stand_in: StandIn, story: list[tuple[str, bool]]) -> None:
    """Begin an update to the config that does not serve, as from another terminal."""
    sagemaker = stand_in.client("sagemaker")
    serving = sagemaker.describe_endpoint(EndpointName="diamonds")["EndpointConfigName"]
    configs = [
        one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]
    ]
    stand_in.story = story
    sagemaker.update_endpoint(
        EndpointName="diamonds", EndpointConfigName=next(one for one in configs if one != serving)
    )
