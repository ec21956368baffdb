"""The bucket is looked up before anything is made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.recorder import Fault
from tests.support.aws_emulator.server import Emulator

FAR = "us-west-2"


@pytest.mark.parametrize("verb", ["plan", "up"])
def test_a_bucket_in_another_region(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], verb: str
) -> None:
    """A bucket of another region is refused with both regions."""
    emulator.client("s3", FAR).create_bucket(
        Bucket="far", CreateBucketConfiguration={"LocationConstraint": FAR}
    )
    config_file = write_config({"bucket: example-models": "bucket: far"})
    emulator.recorder.reset()
    outcome = run(verb, config_file, *(POLL if verb == "up" else ()))

    assert outcome.exit_code == 1
    assert "model.bucket: expected a bucket in eu-central-1" in outcome.output
    assert f'"far" is in {FAR}' in outcome.output
    assert len(outcome.output.splitlines()) == 1
    assert mutations(emulator) == []


@pytest.mark.parametrize("verb", ["plan", "up"])
def test_a_bucket_that_is_missing(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], verb: str
) -> None:
    """A bucket that is not there is told with the command that makes it."""
    config_file = write_config({"bucket: example-models": "bucket: nowhere"})
    emulator.recorder.reset()
    outcome = run(verb, config_file, *(POLL if verb == "up" else ()))

    assert outcome.exit_code == 1
    assert (
        'model.bucket: "nowhere": bucket does not exist; '
        "create it with aws s3 mb s3://nowhere --region eu-central-1" in outcome.output
    )
    assert mutations(emulator) == []


@pytest.mark.parametrize(
    ("status", "region", "words"),
    [
        (
            403,
            "eu-central-1",
            "the bucket belongs to another account, or s3:ListBucket is not allowed",
        ),
        (403, FAR, f'"example-models" is in {FAR}'),
        (301, FAR, f'"example-models" is in {FAR}'),
        (400, "eu-central-1", "the credentials may have expired"),
        (503, "eu-central-1", "AWS failed during HeadBucket"),
    ],
)
def test_a_bucket_that_is_refused(  # noqa: PLR0913, PLR0917 - three fixtures
    emulator: Emulator, run: Run, config_file: Path, status: int, region: str, words: str
) -> None:
    """A refusal, which for HeadBucket has no words but the region, is told in one line."""
    fault = Fault("", status=status, headers=(("x-amz-bucket-region", region),))
    emulator.recorder.inject_fault = lambda call, _: (
        fault if call.operation == "HeadBucket" else None
    )
    outcome = run("plan", config_file)

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.splitlines()) == 1
