"""What is typed, and what the environment says, where it cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_life import PAYLOAD, POLL, mutations
from tests.support.aws_emulator.recorder import Fault
from tests.support.aws_emulator.server import Emulator
from tests.support.server import ROOT


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        *[("up", ("--poll-seconds", seconds)) for seconds in ("-1", "0", "nan", "inf", "1e300")],
        *[("logs", ("--minutes", minutes)) for minutes in ("-5", "0", "9" * 400)],
        *[("invoke", (PAYLOAD, "--timeout-seconds", seconds)) for seconds in ("-1", "nan")],
    ],
)
def test_times_that_are_none(
    emulator: Emulator, run: Run, config_file: Path, verb: str, arguments: tuple[object, ...]
) -> None:
    """A time that cannot be waited is told by the option's name, before anything is asked of AWS."""
    outcome = run(verb, config_file, *arguments)

    assert outcome.exit_code == 2
    assert f"Error: Invalid value for '{arguments[-2]}'" in outcome.output
    assert emulator.recorder.calls == []


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "AWS_MAX_ATTEMPTS",
            "abc",
            'AWS_MAX_ATTEMPTS: expected a whole number from 1 to 100, got "abc"',
        ),
        ("AWS_MAX_ATTEMPTS", "0", "AWS_MAX_ATTEMPTS: expected a whole number"),
        ("AWS_MAX_ATTEMPTS", "9" * 5000, "AWS_MAX_ATTEMPTS: expected a whole number"),
        ("AWS_ENDPOINT_URL", "nonsense", "nonsense; check AWS_ENDPOINT_URL"),
        ("AWS_PROFILE", "nobody", "nobody"),
    ],
)
def test_an_environment_that_cannot_be(  # noqa: PLR0913, PLR0917 - three fixtures
    run: Run,
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    words: str,
) -> None:
    """A variable of the environment that boto3 could not take is one line."""
    monkeypatch.setenv(variable, value)
    outcome = run("status", config_file)

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.splitlines()) == 1


def test_refusals_of_many_lines(emulator: Emulator, run: Run, config_file: Path) -> None:
    """A refusal whose first line says nothing is told whole, in one line."""
    fault = Fault("ValidationException", "Validation failed:\nthe name is too long")
    emulator.recorder.inject_fault = lambda call, _: (
        fault if call.operation == "DescribeEndpoint" else None
    )
    outcome = run("status", config_file)

    assert (
        "AWS rejected DescribeEndpoint: Validation failed: the name is too long" in outcome.output
    )
    assert len(outcome.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("address", "layer", "words"),
    [
        ("", ("403 Forbidden", b"<Error/>"), "HTTP status 403"),
        ("", ("200 OK", b"no json"), "not an image configuration"),
        ("", ("200 OK", b"[]"), "not an image configuration"),
        ("", ("200 OK", b"{}"), "not an image configuration"),
        ("http://127.0.0.1:9", None, "Connection refused"),
        ("http://127.0.0.1:x", None, "nonnumeric port"),
        ("http://example.com", None, "expected an https URL from ECR, got http://example.com"),
    ],
)
def test_a_layer_that_cannot_be_read(  # noqa: PLR0913, PLR0917 - three fixtures
    emulator: Emulator,
    run: Run,
    config_file: Path,
    address: str,
    layer: tuple[str, bytes] | None,
    words: str,
) -> None:
    """The address of a layer is shown without what signs it, which lets whoever has it read the image."""
    emulator.layer_base_url, emulator.layer_response = address, layer
    outcome = run("up", config_file, *POLL)

    assert outcome.exit_code == 1
    assert "image: " in outcome.output
    assert words in outcome.output
    assert "secret" not in outcome.output
    assert len(outcome.output.splitlines()) == 1
    assert mutations(emulator) == []


@pytest.mark.parametrize("missing", ["botocore", "yaml"])
@pytest.mark.parametrize("verb", [("plan", "deploy/endpoint.example.yaml"), ("status", "--help")])
def test_without_the_packages(tmp_path: Path, missing: str, verb: tuple[str, ...]) -> None:
    """Without the packages of the group each verb says which verb of make adds them, in one line."""
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('none', name='{missing}')")
    command = [sys.executable, "-m", "deploy", *verb]
    outcome = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome.returncode == 1
    assert "make deploy-setup" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
