"""What keeps a verb from its work, told in one line before anything is made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.runtime import REGION
from tests.support.aws_emulator.server import StandIn
from tests.support.aws_emulator.wire import Fault
from tests.support.server import ROOT


@pytest.mark.parametrize("verb", ["up", "status", "down", "logs", "rollback"])
def test_without_credentials(
    stand_in: StandIn, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Without credentials each verb that needs some says so."""
    without_credentials(monkeypatch)
    outcome = run(verb, file)

    assert outcome.exit_code == 1
    assert "no AWS credentials were found" in outcome.output
    assert stand_in.wire.sent == []


def test_a_first_plan_without_credentials(
    stand_in: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example's plan needs no credentials and no network, and says what it assumes."""
    without_credentials(monkeypatch)
    outcome = run("plan", ROOT / "deploy" / "endpoint.example.yaml")

    assert outcome.exit_code == 0, outcome.output
    assert "assumes that nothing is there yet" in outcome.output
    assert "6. sagemaker create_endpoint: start serving" in outcome.output
    assert stand_in.wire.sent == []


def test_no_way_to_aws(
    stand_in: StandIn, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A region that does not answer is named."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    outcome = run("status", file)

    assert "no connection to AWS in eu-central-1" in outcome.output


def test_a_bucket_in_another_region(stand_in: StandIn, run: Run, file: Path) -> None:
    """A bucket of another region is told as such."""
    stand_in.wire.fault = lambda sent, _: (
        Fault("PermanentRedirect", status=301) if sent.operation == "PutObject" else None
    )
    outcome = run("up", file, *POLL)

    assert "the bucket is in another region than eu-central-1" in outcome.output


def test_an_image_that_createmodel_refuses(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """An image with an OCI manifest stops up before anything is made, and the message says how to build it."""
    file = write(image=stand_in.push("application/vnd.oci.image.manifest.v1+json"))
    stand_in.wire.reset()
    outcome = run("up", file, *POLL)

    assert "CreateModel refuses" in outcome.output
    assert "--provenance=false" in outcome.output
    assert mutations(stand_in) == []


def test_a_manifest_without_a_configuration(
    stand_in: StandIn, run: Run, write: Callable[..., Path]
) -> None:
    """What is no image stops up before anything is made."""
    file = write(image=stand_in.push(config=None))
    stand_in.wire.reset()
    refused = run("up", file, *POLL)

    assert "its manifest names no configuration" in refused.output
    assert mutations(stand_in) == []


def test_an_image_for_another_processor(stand_in: StandIn, run: Run, file: Path) -> None:
    """An image for a processor that the instance has not stops up before anything is made."""
    stand_in.architecture = "arm64"
    outcome = run("up", file, *POLL)

    assert "built for arm64, but ml.c6i.large needs amd64" in outcome.output
    assert mutations(stand_in) == []


def test_subnets_in_one_zone(stand_in: StandIn, run: Run, write: Callable[..., Path]) -> None:
    """Two subnets in one Availability Zone are refused."""
    ec2 = stand_in.client("ec2")
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
        run("plan", write({"update:": together})),
        run("plan", write({"update:": apart})),
    )

    assert refused.exit_code == 1
    assert f"all are in {REGION}a" in refused.output
    assert taken.exit_code == 0, taken.output


def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave boto3 nowhere to find credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
