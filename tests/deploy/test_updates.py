"""Updates that fail, whose outcome AWS reports late, or that run concurrently."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.support import (
    POLL,
    ROLLED_BACK,
    SECOND_VERSION,
    THIRD_VERSION,
    find_serving_config,
    kill_after,
    list_mutations,
    list_resources,
)
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import BUCKET, Emulator


@pytest.mark.parametrize("failure", ["rolled back", "rejected"])
def test_failed_update_keeps_rollback_config(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], failure: str
) -> None:
    """After a failed update, rollback still restores the config before the one in use."""
    run("up", write_config(), *POLL)
    first = find_serving_config(emulator)
    run("up", write_config(SECOND_VERSION), *POLL)
    if failure == "rejected":
        emulator.recorder.inject_fault = lambda call, _: (
            Fault("ResourceLimitExceeded") if call.operation == "UpdateEndpoint" else None
        )
    else:
        emulator.transitions = ROLLED_BACK
    failed = run("up", write_config(THIRD_VERSION), *POLL)
    emulator.transitions, emulator.recorder.inject_fault = [], lambda *_: None
    back = run("rollback", write_config(), "--yes", *POLL)

    assert failed.exit_code == 1
    assert back.exit_code == 0, back.output
    assert find_serving_config(emulator) == first


def test_kill_before_tagging_keeps_rollback_config(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """The previous config is known after a kill between update and tags, and after another up."""
    run("up", write_config(), *POLL)
    first = find_serving_config(emulator)
    kill_after(emulator, "UpdateEndpoint")
    killed = run("up", write_config(SECOND_VERSION), *POLL)
    emulator.recorder.reset()
    status, again = (
        run("status", write_config(SECOND_VERSION)),
        run("up", write_config(SECOND_VERSION), *POLL),
    )
    back = run("rollback", write_config(), "--yes", *POLL)

    assert killed.exit_code == 1
    assert f"previous       {first}" in status.output
    assert again.exit_code == 0, again.output
    assert back.exit_code == 0, back.output
    assert find_serving_config(emulator) == first


def test_rollback_to_serving_config(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A rollback to the config in use is rejected with the names of the other configs."""
    run("up", write_config(), *POLL)
    first = find_serving_config(emulator)
    alone = run("rollback", write_config(), "--yes", "--to", first, *POLL)
    run("up", write_config(SECOND_VERSION), *POLL)
    outcome = run("rollback", write_config(), "--yes", "--to", find_serving_config(emulator), *POLL)

    assert alone.exit_code == 1
    assert f"with {first}; no other endpoint config exists to roll back to" in alone.output
    assert outcome.exit_code == 1
    assert (
        f"diamonds is already in service with {find_serving_config(emulator)}; "
        f"select one with --to: {first}" in outcome.output
    )


@pytest.mark.parametrize("verb", ["up", "rollback"])
def test_update_rollback_failed(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], verb: str
) -> None:
    """After UpdateRollbackFailed, up names the remedies, and both up and rollback succeed."""
    run("up", write_config(), *POLL)
    first = find_serving_config(emulator)
    emulator.transitions = [
        ("Updating", False),
        ("UpdateRollbackFailed", verb == "up"),
    ]  # AWS may name either config
    failed, emulator.transitions = run("up", write_config(SECOND_VERSION), *POLL), []
    recovered = (
        run("up", write_config(SECOND_VERSION), *POLL)
        if verb == "up"
        else run("rollback", write_config(), "--yes", *POLL)
    )

    assert failed.exit_code == 1
    assert (
        "diamonds may run both endpoint configs; run python -m deploy rollback, or up again; "
        "as a last resort, down" in failed.output
    )
    assert recovered.exit_code == 0, recovered.output
    assert (find_serving_config(emulator) == first) == (verb == "rollback")
    assert list_mutations(emulator).count("UpdateEndpoint") == 2
    assert (f"previous       {first}" in run("status", write_config()).output) == (verb == "up")


@pytest.mark.parametrize("stale_reads", [1, 2])
def test_stale_status_after_update(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], stale_reads: int
) -> None:
    """A stale InService with the old config is not mistaken for a rollback."""
    run("up", write_config(), *POLL)
    emulator.transitions = [("InService", False)] * stale_reads + [
        ("Updating", False),
        ("InService", True),
    ]
    outcome = run("up", write_config(SECOND_VERSION), *POLL)

    assert outcome.exit_code == 0, outcome.output


def test_rollback_between_two_polls(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An old config that remains in service counts as a rollback after several reads."""
    run("up", write_config(), *POLL)
    emulator.transitions = [("InService", False)]
    outcome = run("up", write_config(SECOND_VERSION), *POLL)

    assert outcome.exit_code == 1
    assert "the update was rolled back" in outcome.output


def test_endpoint_not_found_after_creation(emulator: Emulator, run: Run, config_file: Path) -> None:
    """DescribeEndpoint is repeated when it does not find an endpoint just created."""
    not_found: list[str] = []

    def fault(call: ApiCall, _: int) -> Fault | None:
        if (
            call.operation == "DescribeEndpoint"
            and "CreateEndpoint" in list_mutations(emulator)
            and len(not_found) < 2
        ):
            not_found.append(call.operation)
            return Fault("ValidationException", 'Could not find endpoint "diamonds".')
        return None

    emulator.recorder.inject_fault = fault
    outcome = run("up", config_file, *POLL)

    assert len(not_found) == 2
    assert outcome.exit_code == 0, outcome.output


def test_failed_smoke_test(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """A failed smoke test names the rollback config, if there is one, and deletes nothing."""
    emulator.recorder.inject_fault = reject_invocation
    first = run("up", write_config(), *POLL)
    emulator.recorder.inject_fault = lambda *_: None
    run("up", write_config(SECOND_VERSION), *POLL)
    before, old = list_resources(emulator), find_serving_config(emulator)
    emulator.recorder.inject_fault = reject_invocation
    third = run("up", write_config(THIRD_VERSION), *POLL)

    assert first.exit_code == third.exit_code == 1
    assert "rollback" not in first.output
    assert (
        "smoke test failed, but the new config is in service: AWS rejected InvokeEndpoint"
        in third.output
    )
    assert third.output.rstrip().endswith(f"python -m deploy rollback returns to {old}")
    assert set(before) <= set(list_resources(emulator))


def reject_invocation(call: ApiCall, _: int) -> Fault | None:
    """Reject each invocation."""
    return Fault("ValidationError", "no") if call.operation == "InvokeEndpoint" else None


def test_concurrent_update_is_rejected(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An update that another terminal has started is reported, and the next run waits for it."""
    run("up", write_config(), *POLL)
    client, started = emulator.client("sagemaker"), list[str]()
    first = find_serving_config(emulator)

    def fault(call: ApiCall, _: int) -> None:
        if call.operation == "UpdateEndpoint" and not started:
            started.append(call.operation)
            client.update_endpoint(EndpointName="diamonds", EndpointConfigName=first)

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(SECOND_VERSION), *POLL)
    rejections, emulator.recorder.inject_fault = list(emulator.rejections), lambda *_: None
    emulator.rejections.clear()
    again = run("up", write_config(SECOND_VERSION), *POLL)

    assert len(rejections) == 1
    assert outcome.exit_code == 1
    assert (
        "another update of diamonds is in progress, for example from another terminal "
        "or from scaling" in outcome.output
    )
    assert again.exit_code == 0, again.output


def test_cleanup_keeps_newer_resources(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A model and an artifact that another run has just created are not deleted."""
    run("up", write_config(), *POLL)
    run("up", write_config(SECOND_VERSION), *POLL)
    created, tags = list[str](), [{"Key": "xgb-endpoint:endpoint", "Value": "diamonds"}]

    def fault(call: ApiCall, _: int) -> None:
        if call.operation == "InvokeEndpoint" and not created:
            created.extend(("diamonds-9", "xgb-endpoint/123456789012/diamonds/9/model.tar.gz"))
            time.sleep(1.1)  # S3 reports whole seconds
            emulator.client("s3").put_object(
                Bucket=BUCKET, Key=created[1], Body=b"", Tagging="xgb-endpoint:endpoint=diamonds"
            )
            emulator.client("sagemaker").create_model(
                ModelName=created[0],
                ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
                PrimaryContainer={"Image": "i"},
                Tags=tags,
            )

    emulator.recorder.inject_fault = fault
    before = list_resources(emulator)
    outcome = run("up", write_config(THIRD_VERSION), *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert set(created) <= set(list_resources(emulator))
    assert len(set(before) - set(list_resources(emulator))) == 2  # config and model of the first


def test_config_replaced_during_smoke_test(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A run whose config was replaced during its smoke test fails, and deletes nothing."""
    run("up", write_config(), *POLL)
    first, client = find_serving_config(emulator), emulator.client("sagemaker")

    def fault(call: ApiCall, _: int) -> None:
        if call.operation == "InvokeEndpoint":
            client.update_endpoint(EndpointName="diamonds", EndpointConfigName=first)
            client.describe_endpoint(EndpointName="diamonds")

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(SECOND_VERSION), *POLL)

    assert outcome.exit_code == 1
    assert f"another update replaced this one: the endpoint now uses {first};" in outcome.output
