"""What keeps a verb from its work, told in one line before anything is made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.recorder import Fault
from tests.support.aws_emulator.runtime import REGION
from tests.support.aws_emulator.server import Emulator
from tests.support.server import ROOT


@pytest.mark.parametrize("verb", ["up", "status", "down", "logs", "rollback"])
def test_without_credentials(
    emulator: Emulator, run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Without credentials each verb that needs some says so."""
    without_credentials(monkeypatch)
    outcome = run(verb, config_file)

    assert outcome.exit_code == 1
    assert "no AWS credentials; run aws configure" in outcome.output
    assert emulator.recorder.calls == []


def test_a_first_plan_without_credentials(
    emulator: Emulator, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example's plan needs no credentials and no network, and says what it assumes."""
    without_credentials(monkeypatch)
    outcome = run("plan", ROOT / "deploy" / "endpoint.example.yaml")

    assert outcome.exit_code == 0, outcome.output
    assert "assumes that nothing is there yet" in outcome.output
    assert "6. sagemaker create_endpoint: start serving" in outcome.output
    assert emulator.recorder.calls == []


def test_no_way_to_aws(
    emulator: Emulator, run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A region that does not answer is named."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    outcome = run("status", config_file)

    assert "cannot connect to AWS in eu-central-1" in outcome.output


def test_a_bucket_in_another_region(emulator: Emulator, run: Run, config_file: Path) -> None:
    """A bucket of another region is told as such."""
    emulator.recorder.inject_fault = lambda call, _: (
        Fault("PermanentRedirect", status=301) if call.operation == "PutObject" else None
    )
    outcome = run("up", config_file, *POLL)

    assert "the bucket is not in eu-central-1" in outcome.output


def test_an_image_that_createmodel_refuses(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An image with an OCI manifest stops up before anything is made, and the message says how to build it."""
    config_file = write_config(image=emulator.push("application/vnd.oci.image.manifest.v1+json"))
    emulator.recorder.reset()
    outcome = run("up", config_file, *POLL)

    assert "CreateModel rejects the manifest type application/vnd.oci" in outcome.output
    assert "--provenance=false" in outcome.output
    assert mutations(emulator) == []


def test_a_manifest_without_a_configuration(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """What is no image stops up before anything is made."""
    config_file = write_config(image=emulator.push(config=None))
    emulator.recorder.reset()
    refused = run("up", config_file, *POLL)

    assert "the manifest has no configuration" in refused.output
    assert mutations(emulator) == []


def test_an_image_for_another_processor(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An image for a processor that the instance has not stops up before anything is made."""
    emulator.architecture = "arm64"
    outcome = run("up", config_file, *POLL)

    assert "expected an amd64 image for ml.c6i.large, got arm64" in outcome.output
    assert mutations(emulator) == []


def test_subnets_in_one_zone(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Two subnets in one Availability Zone are refused."""
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("aab")
    ]
    together, apart = (
        f"network: {{subnets: [{made[0]}, {other}], security_groups: [sg-1]}}\n\nupdate:"
        for other in made[1:]
    )
    refused, taken = (
        run("plan", write_config({"update:": together})),
        run("plan", write_config({"update:": apart})),
    )

    assert refused.exit_code == 1
    assert f"got {REGION}a only" in refused.output
    assert taken.exit_code == 0, taken.output


def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave boto3 nowhere to find credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
