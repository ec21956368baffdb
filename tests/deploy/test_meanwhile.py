"""What another terminal does between two looks or two calls is seen, and told."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import cli
from tests.deploy.conftest import Run
from tests.deploy.test_life import POLL, left, mutations
from tests.support.aws_emulator.server import StandIn
from tests.support.aws_emulator.wire import Fault, Sent

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


def asked(verb: str, file: Path, meanwhile: Callable[[], object]) -> Result:
    """Run a verb that asks, and answer yes after something has happened."""
    return CliRunner().invoke(cli, [verb, str(file), *POLL], input=Answer(meanwhile))


def serving(stand_in: StandIn) -> str:
    return str(
        stand_in.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
            "EndpointConfigName"
        ]
    )


def test_down_of_what_became_of_others(stand_in: StandIn, run: Run, file: Path) -> None:
    """An endpoint that others made anew while down asked is left alone."""
    run("up", file, *POLL)
    sagemaker, config = stand_in.client("sagemaker"), serving(stand_in)

    def meanwhile() -> None:
        sagemaker.delete_endpoint(EndpointName="diamonds")
        sagemaker.create_endpoint(EndpointName="diamonds", EndpointConfigName=config)
        stand_in.wire.sent.clear()

    outcome = asked("down", file, meanwhile)

    assert outcome.exit_code == 1
    assert "was not made by this program" in outcome.output
    assert mutations(stand_in) == []


def test_an_answer_to_what_is_no_more(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """If an update takes over while down or rollback asks, its answer was to something else, and nothing is done."""
    run("up", write(), *POLL)
    file = write({"1.0.0": "2.0.0"})

    def taking_over(version: str) -> Callable[[], None]:
        def meanwhile() -> None:
            run("up", write({"1.0.0": version}), *POLL)
            stand_in.wire.sent.clear()

        return meanwhile

    for verb, version in (("down", "2.0.0"), ("rollback", "3.0.0")):
        outcome = asked(verb, file, taking_over(version))

        assert outcome.exit_code == 1
        assert "diamonds changed" in outcome.output
        assert mutations(stand_in) == []
        assert serving(stand_in).startswith(f"diamonds-{version[0]}-0-0-")


def test_an_update_of_others_between_two_tries(
    stand_in: StandIn, run: Run, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that begins elsewhere while this one's call is throttled is not taken for this one's, and then rolled back."""
    run("up", write(), *POLL)
    old = serving(stand_in)
    run("up", write({"1.0.0": "2.0.0"}), *POLL)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    sagemaker = stand_in.client("sagemaker")

    def fault(sent: Sent, _: int) -> Fault | None:
        if sent.operation != "UpdateEndpoint" or mutations(stand_in).count("UpdateEndpoint") > 1:
            return None
        stand_in.wire.fault = lambda *_: None
        sagemaker.update_endpoint(EndpointName="diamonds", EndpointConfigName=old)
        return Fault("ThrottlingException")

    stand_in.wire.reset()
    stand_in.wire.fault = fault
    outcome = run("up", write({"1.0.0": "3.0.0"}), *POLL)
    refused, stand_in.refused = stand_in.refused, []

    assert len(refused) == 1
    assert "in-progress" in refused[0]
    assert outcome.exit_code == 1
    assert "another update of diamonds is under way" in outcome.output


def test_what_is_gone_by_now(
    stand_in: StandIn, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another run has removed meanwhile, or this one by a call whose answer was lost, is taken as removed."""
    run("up", file, *POLL)
    sagemaker = stand_in.client("sagemaker")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=serving(stand_in))[
        "ProductionVariants"
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="diamonds-old", ProductionVariants=variants)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    faults = [
        Fault("ResourceNotFound", status=404),
        Fault("InternalFailure", status=500, done=True),
    ]

    def fault(sent: Sent, _: int) -> Fault | None:
        if sent.operation == "ListTags" and sent.parameters["ResourceArn"].endswith(
            "endpoint-config/diamonds-old"
        ):
            sagemaker.delete_endpoint_config(EndpointConfigName="diamonds-old")
            return Fault("ValidationException", "Could not find endpoint configuration")
        return faults.pop() if sent.operation == "DeleteAlarms" and faults else None

    stand_in.wire.fault = fault
    outcome = run("down", file, "--yes", *POLL)

    assert faults == []
    assert outcome.exit_code == 0, outcome.output
    assert left(stand_in) == []


def test_a_target_that_is_not_found_yet(stand_in: StandIn, run: Run, file: Path) -> None:
    """A policy for a target that was registered a moment ago is put again until its target is found."""
    faults = [Fault("ObjectNotFoundException", NOT_FOUND)] * 2
    stand_in.wire.fault = lambda sent, _: (
        faults.pop() if sent.operation == "PutScalingPolicy" and faults else None
    )
    outcome = run("up", file, *POLL)

    assert faults == []
    assert outcome.exit_code == 0, outcome.output
