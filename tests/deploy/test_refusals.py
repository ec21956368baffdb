"""Errors that stop a command before it creates anything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.support import POLL, list_mutations
from tests.support.aws_emulator.recorder import Fault
from tests.support.aws_emulator.runtime import REGION
from tests.support.aws_emulator.server import Emulator
from tests.support.server import ROOT


@pytest.mark.parametrize("command", ["up", "status", "down", "logs", "rollback"])
def test_without_credentials(
    emulator: Emulator, run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Without credentials, each command that needs them reports so."""
    without_credentials(monkeypatch)
    outcome = run(command, config_file)

    assert outcome.exit_code == 1
    assert "no AWS credentials; run aws configure" in outcome.output
    assert emulator.recorder.calls == []


def test_first_plan_without_credentials(
    emulator: Emulator, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan of the example requires neither credentials nor network, and says what it assumes."""
    without_credentials(monkeypatch)
    outcome = run("plan", ROOT / "deploy" / "endpoint.example.yaml")

    assert outcome.exit_code == 0, outcome.output
    assert "assumes that nothing exists yet" in outcome.output
    assert "6. sagemaker create_endpoint: start serving" in outcome.output
    assert emulator.recorder.calls == []


def test_no_connection(
    emulator: Emulator, run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection error names the Region."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    outcome = run("status", config_file)

    assert "cannot connect to AWS in eu-central-1" in outcome.output


def test_bucket_in_another_region(emulator: Emulator, run: Run, config_file: Path) -> None:
    """S3's redirect to another Region is reported as a bucket in the wrong Region."""
    emulator.recorder.inject_fault = lambda call, _: (
        Fault("PermanentRedirect", status=301) if call.operation == "PutObject" else None
    )
    outcome = run("up", config_file, *POLL)

    assert "the bucket is not in eu-central-1" in outcome.output


def test_oci_manifest(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """An image with an OCI manifest is rejected, and the error says how to build one without."""
    config_file = write_config(image=emulator.push("application/vnd.oci.image.manifest.v1+json"))
    emulator.recorder.reset()
    outcome = run("up", config_file, *POLL)

    assert "CreateModel rejects the manifest type application/vnd.oci" in outcome.output
    assert "--provenance=false" in outcome.output
    assert list_mutations(emulator) == []


def test_manifest_without_configuration(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A manifest that is not a container image's is rejected before anything is created."""
    config_file = write_config(image=emulator.push(config=None))
    emulator.recorder.reset()
    rejected = run("up", config_file, *POLL)

    assert "the manifest has no configuration" in rejected.output
    assert list_mutations(emulator) == []


def test_image_of_another_architecture(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An image for another CPU architecture is rejected before anything is created."""
    emulator.architecture = "arm64"
    outcome = run("up", config_file, *POLL)

    assert "expected an amd64 image for ml.c6i.large, got arm64" in outcome.output
    assert list_mutations(emulator) == []


def test_subnets_in_one_zone(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Two subnets in one Availability Zone are rejected; in two they are accepted."""
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("aab")
    ]
    one_zone, two_zones = (
        f"network: {{subnets: [{subnets[0]}, {other}], security_groups: [sg-1]}}\n\nupdate:"
        for other in subnets[1:]
    )
    rejected, accepted = (
        run("plan", write_config({"update:": one_zone})),
        run("plan", write_config({"update:": two_zones})),
    )

    assert rejected.exit_code == 1
    assert f"got only {REGION}a; for development, set" in rejected.output
    assert "compute.allow_single_zone: true" in rejected.output
    assert accepted.exit_code == 0, accepted.output


def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove all sources of credentials that boto3 would find."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
