"""What an update leaves behind when it fails, is doubtful, or is not the only one."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_faults import DEAD, LOST
from tests.deploy.test_life import POLL, left, mutations
from tests.support.aws_emulator.server import BUCKET, StandIn
from tests.support.aws_emulator.wire import Fault, Sent

SECOND, THIRD = {"1.0.0": "2.0.0"}, {"1.0.0": "3.0.0"}
ROLLED_BACK = [("Updating", False), ("RollingBack", False), ("InService", False)]


def serving(stand_in: StandIn) -> str:
    """Return the config that serves."""
    return str(
        stand_in.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
            "EndpointConfigName"
        ]
    )


def killed_after(stand_in: StandIn, operation: str) -> None:
    """Let AWS see a kill just after its answer to an operation."""
    stand_in.wire.reset()
    stand_in.wire.fault = lambda sent, _: (
        LOST if sent.operation == operation else DEAD if operation in mutations(stand_in) else None
    )


@pytest.mark.parametrize("why", ["rolled back", "refused"])
def test_a_failed_update_keeps_the_way_back(
    stand_in: StandIn, run: Run, write: Callable[..., Path], why: str
) -> None:
    """After an update that failed, rollback still goes back to what served before the config that serves."""
    run("up", write(), *POLL)
    first = serving(stand_in)
    run("up", write(SECOND), *POLL)
    if why == "refused":
        stand_in.wire.fault = lambda sent, _: (
            Fault("ResourceLimitExceeded") if sent.operation == "UpdateEndpoint" else None
        )
    else:
        stand_in.story = ROLLED_BACK
    failed = run("up", write(THIRD), *POLL)
    stand_in.story, stand_in.wire.fault = [], lambda *_: None
    back = run("rollback", write(), "--yes", *POLL)

    assert failed.exit_code == 1
    assert back.exit_code == 0, back.output
    assert serving(stand_in) == first


def test_a_kill_between_update_and_tag_keeps_the_way_back(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """Killed when the update was begun and nothing written down yet: the way back is known at once, and after another up."""
    run("up", write(), *POLL)
    first = serving(stand_in)
    killed_after(stand_in, "UpdateEndpoint")
    killed = run("up", write(SECOND), *POLL)
    stand_in.wire.reset()
    status, again = run("status", write(SECOND)), run("up", write(SECOND), *POLL)
    back = run("rollback", write(), "--yes", *POLL)

    assert killed.exit_code == 1
    assert f"previous       {first}" in status.output
    assert again.exit_code == 0, again.output
    assert back.exit_code == 0, back.output
    assert serving(stand_in) == first


def test_rollback_to_what_serves(stand_in: StandIn, run: Run, write: Callable[..., Path]) -> None:
    """Rollback to the config that serves already says so, and which others there are."""
    run("up", write(), *POLL)
    first = serving(stand_in)
    run("up", write(SECOND), *POLL)
    outcome = run("rollback", write(), "--yes", "--to", serving(stand_in), *POLL)

    assert outcome.exit_code == 1
    assert (
        f"diamonds serves {serving(stand_in)} already: to go to another, name one with --to: {first}"
        in outcome.output
    )


@pytest.mark.parametrize("verb", ["up", "rollback"])
def test_a_rollback_that_failed(
    stand_in: StandIn, run: Run, write: Callable[..., Path], verb: str
) -> None:
    """Where an update and its rollback failed, up says what can be done, and up and rollback do it."""
    run("up", write(), *POLL)
    first = serving(stand_in)
    stand_in.story = [
        ("Updating", False),
        ("UpdateRollbackFailed", verb == "up"),
    ]  # AWS may name either config
    failed, stand_in.story = run("up", write(SECOND), *POLL), []
    mended = (
        run("up", write(SECOND), *POLL)
        if verb == "up"
        else run("rollback", write(), "--yes", *POLL)
    )

    assert failed.exit_code == 1
    assert (
        "diamonds serves, perhaps with both configurations: python -m deploy rollback or up makes it one; down"
        in failed.output
    )
    assert mended.exit_code == 0, mended.output
    assert (serving(stand_in) == first) == (verb == "rollback")
    assert mutations(stand_in).count("UpdateEndpoint") == 2
    assert (f"previous       {first}" in run("status", write()).output) == (verb == "up")


@pytest.mark.parametrize("looks", [1, 2])
def test_what_aws_tells_late(
    stand_in: StandIn, run: Run, write: Callable[..., Path], looks: int
) -> None:
    """That the old config is in service, told just after an update began, is no rollback."""
    run("up", write(), *POLL)
    stand_in.story = [("InService", False)] * looks + [("Updating", False), ("InService", True)]
    outcome = run("up", write(SECOND), *POLL)

    assert outcome.exit_code == 0, outcome.output


def test_a_rollback_that_nobody_saw(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """An old config that stays in service is a rollback in the end, though nothing was seen under way."""
    run("up", write(), *POLL)
    stand_in.story = [("InService", False)]
    outcome = run("up", write(SECOND), *POLL)

    assert outcome.exit_code == 1
    assert "the update was rolled back" in outcome.output


def test_an_endpoint_that_is_not_found_yet(stand_in: StandIn, run: Run, file: Path) -> None:
    """An endpoint that is not found just after its creation is looked for again."""
    missed: list[str] = []

    def fault(sent: Sent, _: int) -> Fault | None:
        if (
            sent.operation == "DescribeEndpoint"
            and "CreateEndpoint" in mutations(stand_in)
            and len(missed) < 2
        ):
            missed.append(sent.operation)
            return Fault("ValidationException", 'Could not find endpoint "diamonds".')
        return None

    stand_in.wire.fault = fault
    outcome = run("up", file, *POLL)

    assert len(missed) == 2
    assert outcome.exit_code == 0, outcome.output


def test_a_smoke_test_that_fails(stand_in: StandIn, run: Run, write: Callable[..., Path]) -> None:
    """A failed smoke test names the way back, and nothing is removed before; the first one has no way back to name."""
    stand_in.wire.fault = smokeless
    first = run("up", write(), *POLL)
    stand_in.wire.fault = lambda *_: None
    run("up", write(SECOND), *POLL)
    before, old = left(stand_in), serving(stand_in)
    stand_in.wire.fault = smokeless
    third = run("up", write(THIRD), *POLL)

    assert first.exit_code == third.exit_code == 1
    assert "rollback" not in first.output
    assert (
        "the smoke test failed, and the endpoint serves what failed: AWS refused InvokeEndpoint"
        in third.output
    )
    assert third.output.rstrip().endswith(f"python -m deploy rollback goes back to {old}")
    assert set(before) <= set(left(stand_in))


def smokeless(sent: Sent, _: int) -> Fault | None:
    """Refuse each invocation."""
    return Fault("ValidationError", "no") if sent.operation == "InvokeEndpoint" else None


def test_another_update_is_not_taken_for_ones_own(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """An update that another terminal began in between is told, and the next run waits for it."""
    run("up", write(), *POLL)
    client, began = stand_in.client("sagemaker"), list[str]()
    first = serving(stand_in)

    def fault(sent: Sent, _: int) -> None:
        if sent.operation == "UpdateEndpoint" and not began:
            began.append(sent.operation)
            client.update_endpoint(EndpointName="diamonds", EndpointConfigName=first)

    stand_in.wire.fault = fault
    outcome = run("up", write(SECOND), *POLL)
    refused, stand_in.wire.fault = list(stand_in.refused), lambda *_: None
    stand_in.refused.clear()
    again = run("up", write(SECOND), *POLL)

    assert len(refused) == 1
    assert outcome.exit_code == 1
    assert (
        "another update of diamonds is under way, as from another terminal or by scaling"
        in outcome.output
    )
    assert again.exit_code == 0, again.output


def test_what_another_run_is_about_to_serve_is_not_removed(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """Model and artifact that another terminal made meanwhile stay, though nothing serves them yet."""
    run("up", write(), *POLL)
    run("up", write(SECOND), *POLL)
    made, tags = list[str](), [{"Key": "xgb-endpoint:endpoint", "Value": "diamonds"}]

    def fault(sent: Sent, _: int) -> None:
        if sent.operation == "InvokeEndpoint" and not made:
            made.extend(("diamonds-9", "xgb-endpoint/123456789012/diamonds/9/model.tar.gz"))
            time.sleep(1.1)  # S3 tells whole seconds
            stand_in.client("s3").put_object(
                Bucket=BUCKET, Key=made[1], Body=b"", Tagging="xgb-endpoint:endpoint=diamonds"
            )
            stand_in.client("sagemaker").create_model(
                ModelName=made[0],
                ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
                PrimaryContainer={"Image": "i"},
                Tags=tags,
            )

    stand_in.wire.fault = fault
    before = left(stand_in)
    outcome = run("up", write(THIRD), *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert set(made) <= set(left(stand_in))
    assert len(set(before) - set(left(stand_in))) == 2  # config and model of the first


def test_another_config_that_took_over(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """A run whose config was replaced while it tested it does not report success, and removes nothing."""
    run("up", write(), *POLL)
    first, client = serving(stand_in), stand_in.client("sagemaker")

    def fault(sent: Sent, _: int) -> None:
        if sent.operation == "InvokeEndpoint":
            client.update_endpoint(EndpointName="diamonds", EndpointConfigName=first)
            client.describe_endpoint(EndpointName="diamonds")

    stand_in.wire.fault = fault
    outcome = run("up", write(SECOND), *POLL)

    assert outcome.exit_code == 1
    assert (
        f"another update took over meanwhile, as from another terminal: {first} serves"
        in outcome.output
    )
