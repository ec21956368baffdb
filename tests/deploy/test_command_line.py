"""Invalid options, environment variables and network responses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.support import PAYLOAD, POLL, list_mutations
from tests.support.aws_emulator.recorder import Fault
from tests.support.aws_emulator.server import Emulator
from tests.support.server import ROOT


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        *[("up", ("--poll-seconds", seconds)) for seconds in ("-1", "0", "nan", "inf", "1e300")],
        *[("logs", ("--minutes", minutes)) for minutes in ("-5", "0", "9" * 400)],
        *[("invoke", (PAYLOAD, "--timeout-seconds", seconds)) for seconds in ("-1", "nan")],
    ],
)
def test_invalid_times(
    emulator: Emulator, run: Run, config_file: Path, command: str, arguments: tuple[object, ...]
) -> None:
    """An invalid time is rejected with the option's name, before any AWS call."""
    outcome = run(command, config_file, *arguments)

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
def test_invalid_environment_variables(  # noqa: PLR0913, PLR0917 - three fixtures
    run: Run,
    config_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    words: str,
) -> None:
    """An environment variable that boto3 cannot use is reported on one line."""
    monkeypatch.setenv(variable, value)
    outcome = run("status", config_file)

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.splitlines()) == 1


def test_multi_line_aws_messages(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An AWS error message of several lines is reported in full, on one line."""
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
def test_image_configuration_download_fails(  # noqa: PLR0913, PLR0917 - three fixtures
    emulator: Emulator,
    run: Run,
    config_file: Path,
    address: str,
    layer: tuple[str, bytes] | None,
    words: str,
) -> None:
    """The error shows the download URL without its signature, which grants access to the image."""
    emulator.layer_base_url, emulator.layer_response = address, layer
    outcome = run("up", config_file, *POLL)

    assert outcome.exit_code == 1
    assert "image: " in outcome.output
    assert words in outcome.output
    assert "secret" not in outcome.output
    assert len(outcome.output.splitlines()) == 1
    assert list_mutations(emulator) == []


@pytest.mark.parametrize("missing", ["botocore", "yaml"])
@pytest.mark.parametrize(
    "arguments", [("plan", "deploy/endpoint.example.yaml"), ("status", "--help")]
)
def test_missing_packages(tmp_path: Path, missing: str, arguments: tuple[str, ...]) -> None:
    """Without boto3 or PyYAML, each command names the make target that installs them."""
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('none', name='{missing}')")
    command = [sys.executable, "-m", "deploy", *arguments]
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
