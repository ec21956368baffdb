"""What an update leaves behind when it fails, is doubtful, or is not the only one."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_faults import DEAD, LOST
from tests.deploy.test_life import POLL, left, mutations
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import BUCKET, Emulator

SECOND, THIRD = {"1.0.0": "2.0.0"}, {"1.0.0": "3.0.0"}
ROLLED_BACK = [("Updating", False), ("RollingBack", False), ("InService", False)]


def serving(emulator: Emulator) -> str:
    """Return the config that serves."""
    return str(
        emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
            "EndpointConfigName"
        ]
    )


def killed_after(emulator: Emulator, operation: str) -> None:
    """Let AWS see a kill just after its answer to an operation."""
    emulator.recorder.reset()
    emulator.recorder.inject_fault = lambda call, _: (
        LOST if call.operation == operation else DEAD if operation in mutations(emulator) else None
    )


@pytest.mark.parametrize("why", ["rolled back", "refused"])
def test_a_failed_update_keeps_the_way_back(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], why: str
) -> None:
    """After an update that failed, rollback still goes back to what served before the config that serves."""
    run("up", write_config(), *POLL)
    first = serving(emulator)
    run("up", write_config(SECOND), *POLL)
    if why == "refused":
        emulator.recorder.inject_fault = lambda call, _: (
            Fault("ResourceLimitExceeded") if call.operation == "UpdateEndpoint" else None
        )
    else:
        emulator.transitions = ROLLED_BACK
    failed = run("up", write_config(THIRD), *POLL)
    emulator.transitions, emulator.recorder.inject_fault = [], lambda *_: None
    back = run("rollback", write_config(), "--yes", *POLL)

    assert failed.exit_code == 1
    assert back.exit_code == 0, back.output
    assert serving(emulator) == first


def test_a_kill_between_update_and_tag_keeps_the_way_back(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Killed when the update was begun and nothing written down yet: the way back is known at once, and after another up."""
    run("up", write_config(), *POLL)
    first = serving(emulator)
    killed_after(emulator, "UpdateEndpoint")
    killed = run("up", write_config(SECOND), *POLL)
    emulator.recorder.reset()
    status, again = run("status", write_config(SECOND)), run("up", write_config(SECOND), *POLL)
    back = run("rollback", write_config(), "--yes", *POLL)

    assert killed.exit_code == 1
    assert f"previous       {first}" in status.output
    assert again.exit_code == 0, again.output
    assert back.exit_code == 0, back.output
    assert serving(emulator) == first


def test_rollback_to_what_serves(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Rollback to the config that serves already says so, and which others there are."""
    run("up", write_config(), *POLL)
    first = serving(emulator)
    run("up", write_config(SECOND), *POLL)
    outcome = run("rollback", write_config(), "--yes", "--to", serving(emulator), *POLL)

    assert outcome.exit_code == 1
    assert (
        f"diamonds serves {serving(emulator)} already: to go to another, name one with --to: {first}"
        in outcome.output
    )


@pytest.mark.parametrize("verb", ["up", "rollback"])
def test_a_rollback_that_failed(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], verb: str
) -> None:
    """Where an update and its rollback failed, up says what can be done, and up and rollback do it."""
    run("up", write_config(), *POLL)
    first = serving(emulator)
    emulator.transitions = [
        ("Updating", False),
        ("UpdateRollbackFailed", verb == "up"),
    ]  # AWS may name either config
    failed, emulator.transitions = run("up", write_config(SECOND), *POLL), []
    mended = (
        run("up", write_config(SECOND), *POLL)
        if verb == "up"
        else run("rollback", write_config(), "--yes", *POLL)
    )

    assert failed.exit_code == 1
    assert (
        "diamonds serves, perhaps with both configurations: python -m deploy rollback or up makes it one; down"
        in failed.output
    )
    assert mended.exit_code == 0, mended.output
    assert (serving(emulator) == first) == (verb == "rollback")
    assert mutations(emulator).count("UpdateEndpoint") == 2
    assert (f"previous       {first}" in run("status", write_config()).output) == (verb == "up")


@pytest.mark.parametrize("looks", [1, 2])
def test_what_aws_tells_late(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], looks: int
) -> None:
    """That the old config is in service, told just after an update began, is no rollback."""
    run("up", write_config(), *POLL)
    emulator.transitions = [("InService", False)] * looks + [
        ("Updating", False),
        ("InService", True),
    ]
    outcome = run("up", write_config(SECOND), *POLL)

    assert outcome.exit_code == 0, outcome.output


def test_a_rollback_that_nobody_saw(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An old config that stays in service is a rollback in the end, though nothing was seen under way."""
    run("up", write_config(), *POLL)
    emulator.transitions = [("InService", False)]
    outcome = run("up", write_config(SECOND), *POLL)

    assert outcome.exit_code == 1
    assert "the update was rolled back" in outcome.output


def test_an_endpoint_that_is_not_found_yet(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An endpoint that is not found just after its creation is looked for again."""
    missed: list[str] = []

    def fault(call: ApiCall, _: int) -> Fault | None:
        if (
            call.operation == "DescribeEndpoint"
            and "CreateEndpoint" in mutations(emulator)
            and len(missed) < 2
        ):
            missed.append(call.operation)
            return Fault("ValidationException", 'Could not find endpoint "diamonds".')
        return None

    emulator.recorder.inject_fault = fault
    outcome = run("up", config_file, *POLL)

    assert len(missed) == 2
    assert outcome.exit_code == 0, outcome.output


def test_a_smoke_test_that_fails(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A failed smoke test names the way back, and nothing is removed before; the first one has no way back to name."""
    emulator.recorder.inject_fault = smokeless
    first = run("up", write_config(), *POLL)
    emulator.recorder.inject_fault = lambda *_: None
    run("up", write_config(SECOND), *POLL)
    before, old = left(emulator), serving(emulator)
    emulator.recorder.inject_fault = smokeless
    third = run("up", write_config(THIRD), *POLL)

    assert first.exit_code == third.exit_code == 1
    assert "rollback" not in first.output
    assert (
        "smoke test failed, but the new config is in service: AWS rejected InvokeEndpoint"
        in third.output
    )
    assert third.output.rstrip().endswith(f"python -m deploy rollback goes back to {old}")
    assert set(before) <= set(left(emulator))


def smokeless(call: ApiCall, _: int) -> Fault | None:
    """Refuse each invocation."""
    return Fault("ValidationError", "no") if call.operation == "InvokeEndpoint" else None


def test_another_update_is_not_taken_for_ones_own(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An update that another terminal began in between is told, and the next run waits for it."""
    run("up", write_config(), *POLL)
    client, began = emulator.client("sagemaker"), list[str]()
    first = serving(emulator)

    def fault(call: ApiCall, _: int) -> None:
        if call.operation == "UpdateEndpoint" and not began:
            began.append(call.operation)
            client.update_endpoint(EndpointName="diamonds", EndpointConfigName=first)

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(SECOND), *POLL)
    refused, emulator.recorder.inject_fault = list(emulator.rejections), lambda *_: None
    emulator.rejections.clear()
    again = run("up", write_config(SECOND), *POLL)

    assert len(refused) == 1
    assert outcome.exit_code == 1
    assert (
        "another update of diamonds is under way, as from another terminal or by scaling"
        in outcome.output
    )
    assert again.exit_code == 0, again.output


def test_what_another_run_is_about_to_serve_is_not_removed(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Model and artifact that another terminal made meanwhile stay, though nothing serves them yet."""
    run("up", write_config(), *POLL)
    run("up", write_config(SECOND), *POLL)
    made, tags = list[str](), [{"Key": "xgb-endpoint:endpoint", "Value": "diamonds"}]

    def fault(call: ApiCall, _: int) -> None:
        if call.operation == "InvokeEndpoint" and not made:
            made.extend(("diamonds-9", "xgb-endpoint/123456789012/diamonds/9/model.tar.gz"))
            time.sleep(1.1)  # S3 tells whole seconds
            emulator.client("s3").put_object(
                Bucket=BUCKET, Key=made[1], Body=b"", Tagging="xgb-endpoint:endpoint=diamonds"
            )
            emulator.client("sagemaker").create_model(
                ModelName=made[0],
                ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
                PrimaryContainer={"Image": "i"},
                Tags=tags,
            )

    emulator.recorder.inject_fault = fault
    before = left(emulator)
    outcome = run("up", write_config(THIRD), *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert set(made) <= set(left(emulator))
    assert len(set(before) - set(left(emulator))) == 2  # config and model of the first


def test_another_config_that_took_over(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A run whose config was replaced while it tested it does not report success, and removes nothing."""
    run("up", write_config(), *POLL)
    first, client = serving(emulator), emulator.client("sagemaker")

    def fault(call: ApiCall, _: int) -> None:
        if call.operation == "InvokeEndpoint":
            client.update_endpoint(EndpointName="diamonds", EndpointConfigName=first)
            client.describe_endpoint(EndpointName="diamonds")

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(SECOND), *POLL)

    assert outcome.exit_code == 1
    assert (
        f"another update took over meanwhile, as from another terminal: {first} serves"
        in outcome.output
    )
