"""What another terminal does between two looks or two calls is seen, and told."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import cli
from tests.deploy.conftest import Run
from tests.deploy.test_life import POLL, left, mutations
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import Emulator

NOT_FOUND = "No scalable target registered for service namespace: sagemaker, resource ID: endpoint/diamonds/variant/AllTraffic"


class Answer(io.BytesIO):
    """A yes that is typed only after something has happened."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(b"y\n")
        self._meanwhile = meanwhile

    def read1(self, size: int | None = -1, /) -> bytes:
        """Let it happen, once."""
        self._meanwhile()
        self._meanwhile = lambda: None
        return super().read1(size)


def asked(verb: str, config_file: Path, meanwhile: Callable[[], object]) -> Result:
    """Run a verb that asks, and answer yes after something has happened."""
    return CliRunner().invoke(cli, [verb, str(config_file), *POLL], input=Answer(meanwhile))


def serving(emulator: Emulator) -> str:
    return str(
        emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
            "EndpointConfigName"
        ]
    )


def test_down_of_what_became_of_others(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An endpoint that others made anew while down asked is left alone."""
    run("up", config_file, *POLL)
    sagemaker, config = emulator.client("sagemaker"), serving(emulator)

    def meanwhile() -> None:
        sagemaker.delete_endpoint(EndpointName="diamonds")
        sagemaker.create_endpoint(EndpointName="diamonds", EndpointConfigName=config)
        emulator.recorder.calls.clear()

    outcome = asked("down", config_file, meanwhile)

    assert outcome.exit_code == 1
    assert "was not made by this program" in outcome.output
    assert mutations(emulator) == []


def test_an_answer_to_what_is_no_more(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """If an update takes over while down or rollback asks, its answer was to something else, and nothing is done."""
    run("up", write_config(), *POLL)
    config_file = write_config({"1.0.0": "2.0.0"})

    def taking_over(version: str) -> Callable[[], None]:
        def meanwhile() -> None:
            run("up", write_config({"1.0.0": version}), *POLL)
            emulator.recorder.calls.clear()

        return meanwhile

    for verb, version in (("down", "2.0.0"), ("rollback", "3.0.0")):
        outcome = asked(verb, config_file, taking_over(version))

        assert outcome.exit_code == 1
        assert "diamonds changed" in outcome.output
        assert mutations(emulator) == []
        assert serving(emulator).startswith(f"diamonds-{version[0]}-0-0-")


def test_an_update_of_others_between_two_tries(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that begins elsewhere while this one's call is throttled is not taken for this one's, and then rolled back."""
    run("up", write_config(), *POLL)
    old = serving(emulator)
    run("up", write_config({"1.0.0": "2.0.0"}), *POLL)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    sagemaker = emulator.client("sagemaker")

    def fault(call: ApiCall, _: int) -> Fault | None:
        if call.operation != "UpdateEndpoint" or mutations(emulator).count("UpdateEndpoint") > 1:
            return None
        emulator.recorder.inject_fault = lambda *_: None
        sagemaker.update_endpoint(EndpointName="diamonds", EndpointConfigName=old)
        return Fault("ThrottlingException")

    emulator.recorder.reset()
    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config({"1.0.0": "3.0.0"}), *POLL)
    refused, emulator.rejections = emulator.rejections, []

    assert len(refused) == 1
    assert "in-progress" in refused[0]
    assert outcome.exit_code == 1
    assert "another update of diamonds is under way" in outcome.output


def test_what_is_gone_by_now(
    emulator: Emulator, run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another run has removed meanwhile, or this one by a call whose answer was lost, is taken as removed."""
    run("up", config_file, *POLL)
    sagemaker = emulator.client("sagemaker")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=serving(emulator))[
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
    assert left(emulator) == []


def test_a_target_that_is_not_found_yet(emulator: Emulator, run: Run, config_file: Path) -> None:
    """A policy for a target that was registered a moment ago is put again until its target is found."""
    faults = [Fault("ObjectNotFoundException", NOT_FOUND)] * 2
    emulator.recorder.inject_fault = lambda call, _: (
        faults.pop() if call.operation == "PutScalingPolicy" and faults else None
    )
    outcome = run("up", config_file, *POLL)

    assert faults == []
    assert outcome.exit_code == 0, outcome.output
