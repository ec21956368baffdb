"""Changes that another terminal makes between two calls are detected and reported."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import cli
from tests.deploy.conftest import Run
from tests.deploy.support import (
    POLL,
    SECOND_VERSION,
    THIRD_VERSION,
    find_serving_config,
    list_mutations,
    list_resources,
)
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import Emulator

NOT_FOUND = (
    "No scalable target registered for service namespace: sagemaker, "
    "resource ID: endpoint/diamonds/variant/AllTraffic"
)


class DelayedConfirmation(io.BytesIO):
    """The input "y", given only after another terminal has acted."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(b"y\n")
        self._act = act

    def read1(self, size: int | None = -1, /) -> bytes:
        """Act once, then return the input."""
        self._act()
        self._act = lambda: None
        return super().read1(size)


def confirm_after(verb: str, config_file: Path, act: Callable[[], object]) -> Result:
    """Run a command that asks for confirmation, and confirm after another terminal has acted."""
    return CliRunner().invoke(cli, [verb, str(config_file), *POLL], input=DelayedConfirmation(act))


def test_down_of_endpoint_recreated_by_others(
    emulator: Emulator, run: Run, config_file: Path
) -> None:
    """An endpoint that others recreated before the confirmation is not deleted."""
    run("up", config_file, *POLL)
    sagemaker, config = emulator.client("sagemaker"), find_serving_config(emulator)

    def act() -> None:
        sagemaker.delete_endpoint(EndpointName="diamonds")
        sagemaker.create_endpoint(EndpointName="diamonds", EndpointConfigName=config)
        emulator.recorder.calls.clear()

    outcome = confirm_after("down", config_file, act)

    assert outcome.exit_code == 1
    assert "was not created by this program" in outcome.output
    assert list_mutations(emulator) == []


def test_change_before_confirmation(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """If an update completes before the confirmation, down and rollback change nothing."""
    run("up", write_config(), *POLL)
    config_file = write_config(SECOND_VERSION)

    def update_to(version: str) -> Callable[[], None]:
        def act() -> None:
            run("up", write_config({"1.0.0": version}), *POLL)
            emulator.recorder.calls.clear()

        return act

    for verb, version in (("down", "2.0.0"), ("rollback", "3.0.0")):
        outcome = confirm_after(verb, config_file, update_to(version))

        assert outcome.exit_code == 1
        assert "diamonds changed" in outcome.output
        assert list_mutations(emulator) == []
        assert find_serving_config(emulator).startswith(f"diamonds-{version[0]}-0-0-")


def test_concurrent_update_between_retries(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another update that starts between two retries is not mistaken for our own."""
    run("up", write_config(), *POLL)
    old = find_serving_config(emulator)
    run("up", write_config(SECOND_VERSION), *POLL)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    sagemaker = emulator.client("sagemaker")

    def fault(call: ApiCall, _: int) -> Fault | None:
        if (
            call.operation != "UpdateEndpoint"
            or list_mutations(emulator).count("UpdateEndpoint") > 1
        ):
            return None
        emulator.recorder.inject_fault = lambda *_: None
        sagemaker.update_endpoint(EndpointName="diamonds", EndpointConfigName=old)
        return Fault("ThrottlingException")

    emulator.recorder.reset()
    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(THIRD_VERSION), *POLL)
    rejections, emulator.rejections = emulator.rejections, []

    assert len(rejections) == 1
    assert "in-progress" in rejections[0]
    assert outcome.exit_code == 1
    assert "another update of diamonds is in progress" in outcome.output


def test_resources_deleted_meanwhile(
    emulator: Emulator, run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down ignores resources that another run, or a call with a lost response, has deleted."""
    run("up", config_file, *POLL)
    sagemaker = emulator.client("sagemaker")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=find_serving_config(emulator))[
        "ProductionVariants"
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="diamonds-old", ProductionVariants=variants)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    faults = [
        Fault("ResourceNotFound", status=404),
        Fault("InternalFailure", status=500, applied=True),
    ]

    def fault(call: ApiCall, _: int) -> Fault | None:
        if call.operation == "ListTags" and call.parameters["ResourceArn"].endswith(
            "endpoint-config/diamonds-old"
        ):
            sagemaker.delete_endpoint_config(EndpointConfigName="diamonds-old")
            return Fault("ValidationException", "Could not find endpoint configuration")
        return faults.pop() if call.operation == "DeleteAlarms" and faults else None

    emulator.recorder.inject_fault = fault
    outcome = run("down", config_file, "--yes", *POLL)

    assert faults == []
    assert outcome.exit_code == 0, outcome.output
    assert list_resources(emulator) == []


def test_target_not_found_after_registration(
    emulator: Emulator, run: Run, config_file: Path
) -> None:
    """PutScalingPolicy is repeated until AWS finds the target registered just before."""
    faults = [Fault("ObjectNotFoundException", NOT_FOUND)] * 2
    emulator.recorder.inject_fault = lambda call, _: (
        faults.pop() if call.operation == "PutScalingPolicy" and faults else None
    )
    outcome = run("up", config_file, *POLL)

    assert faults == []
    assert outcome.exit_code == 0, outcome.output
