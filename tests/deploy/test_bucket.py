"""The bucket is looked up before anything is made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.server import StandIn
from tests.support.aws_emulator.wire import Fault

FAR = "us-west-2"


@pytest.mark.parametrize("verb", ["plan", "up"])
def test_a_bucket_in_another_region(
    stand_in: StandIn, run: Run, write: Callable[..., Path], verb: str
) -> None:
    """A bucket of another region is refused with both regions."""
    stand_in.client("s3", FAR).create_bucket(
        Bucket="far", CreateBucketConfiguration={"LocationConstraint": FAR}
    )
    file = write({"bucket: example-models": "bucket: far"})
    stand_in.wire.reset()
    outcome = run(verb, file, *(POLL if verb == "up" else ()))

    assert outcome.exit_code == 1
    assert f"model.bucket: far is in {FAR}, and the endpoint in eu-central-1" in outcome.output
    assert len(outcome.output.splitlines()) == 1
    assert mutations(stand_in) == []


@pytest.mark.parametrize("verb", ["plan", "up"])
def test_a_bucket_that_is_missing(
    stand_in: StandIn, run: Run, write: Callable[..., Path], verb: str
) -> None:
    """A bucket that is not there is told with the command that makes it."""
    file = write({"bucket: example-models": "bucket: nowhere"})
    stand_in.wire.reset()
    outcome = run(verb, file, *(POLL if verb == "up" else ()))

    assert outcome.exit_code == 1
    assert (
        "model.bucket: nowhere is not there: aws s3 mb s3://nowhere --region eu-central-1 makes it"
        in outcome.output
    )
    assert mutations(stand_in) == []


@pytest.mark.parametrize(
    ("status", "region", "words"),
    [
        (403, "eu-central-1", "somebody else's, or s3:ListBucket is not allowed"),
        (403, FAR, f"example-models is in {FAR}"),
        (301, FAR, f"example-models is in {FAR}"),
        (400, "eu-central-1", "credentials may have expired"),
        (503, "eu-central-1", "AWS failed at HeadBucket"),
    ],
)
def test_a_bucket_that_is_refused(  # noqa: PLR0913, PLR0917 - three fixtures
    stand_in: StandIn, run: Run, file: Path, status: int, region: str, words: str
) -> None:
    """A refusal, which for HeadBucket has no words but the region, is told in one line."""
    fault = Fault("", status=status, headers=(("x-amz-bucket-region", region),))
    stand_in.wire.fault = lambda sent, _: fault if sent.operation == "HeadBucket" else None
    outcome = run("plan", file)

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.splitlines()) == 1
