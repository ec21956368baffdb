"""The buckets are looked up before anything is created."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.support import POLL, list_mutations
from tests.support.aws_emulator.recorder import Fault
from tests.support.aws_emulator.server import Emulator

OTHER_REGION = "us-west-2"


@pytest.mark.parametrize("command", ["plan", "up"])
def test_bucket_in_another_region(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], command: str
) -> None:
    """A bucket in another Region is rejected with both Regions."""
    emulator.client("s3", OTHER_REGION).create_bucket(
        Bucket="far", CreateBucketConfiguration={"LocationConstraint": OTHER_REGION}
    )
    config_file = write_config({"bucket: example-models": "bucket: far"})
    emulator.recorder.reset()
    outcome = run(command, config_file, *(POLL if command == "up" else ()))

    assert outcome.exit_code == 1
    assert "model.bucket: expected a bucket in eu-central-1" in outcome.output
    assert f'"far" is in {OTHER_REGION}' in outcome.output
    assert len(outcome.output.splitlines()) == 1
    assert list_mutations(emulator) == []


@pytest.mark.parametrize("command", ["plan", "up"])
def test_missing_bucket(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], command: str
) -> None:
    """A missing bucket is reported with the command that creates it."""
    config_file = write_config({"bucket: example-models": "bucket: nowhere"})
    emulator.recorder.reset()
    outcome = run(command, config_file, *(POLL if command == "up" else ()))

    assert outcome.exit_code == 1
    assert (
        'model.bucket: "nowhere": bucket does not exist; '
        "create it with aws s3 mb s3://nowhere --region eu-central-1" in outcome.output
    )
    assert list_mutations(emulator) == []


@pytest.mark.parametrize(
    ("status", "region", "words"),
    [
        (
            403,
            "eu-central-1",
            "the bucket belongs to another account, or s3:ListBucket is not allowed",
        ),
        (403, OTHER_REGION, f'"example-models" is in {OTHER_REGION}'),
        (301, OTHER_REGION, f'"example-models" is in {OTHER_REGION}'),
        (400, "eu-central-1", "the credentials may have expired"),
        (503, "eu-central-1", "AWS failed during HeadBucket"),
    ],
)
def test_head_bucket_fails(  # noqa: PLR0913, PLR0917 - three fixtures
    emulator: Emulator, run: Run, config_file: Path, status: int, region: str, words: str
) -> None:
    """A HeadBucket error, which has no message, is explained on one line by status and Region."""
    fault = Fault("", status=status, headers=(("x-amz-bucket-region", region),))
    emulator.recorder.inject_fault = lambda call, _: (
        fault if call.operation == "HeadBucket" else None
    )
    outcome = run("plan", config_file)

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.splitlines()) == 1
