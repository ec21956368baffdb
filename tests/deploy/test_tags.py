"""Existing resources get the tags of the file."""

from collections.abc import Callable
from pathlib import Path

from tests.deploy.conftest import Run
from tests.deploy.support import POLL, count_runs_until_done, list_mutations
from tests.support.aws_emulator.server import Emulator

CHANGED_TAGS = {"    team: pricing": "    stage: production\n    cost centre: '7'"}


def read_user_tags(emulator: Emulator) -> list[dict[str, str]]:
    """Return the tags of each resource, without those that this program adds itself."""
    sagemaker, cloudwatch = emulator.client("sagemaker"), emulator.client("cloudwatch")
    found = [
        sagemaker.list_tags(ResourceArn=arn)["Tags"]
        for arn in (
            sagemaker.list_models()["Models"][0]["ModelArn"],
            sagemaker.list_endpoint_configs()["EndpointConfigs"][0]["EndpointConfigArn"],
            sagemaker.list_endpoints()["Endpoints"][0]["EndpointArn"],
        )
    ]
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    found += [
        cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] for alarm in alarms
    ]
    return [
        {tag["Key"]: tag["Value"] for tag in some if not tag["Key"].startswith("xgb-endpoint:")}
        for some in found
    ]


def test_changed_tags(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """Up changes the tags of all resources, recreates none, and keeps all other tags."""
    run("up", write_config(), *POLL)
    endpoint = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")
    emulator.client("sagemaker").add_tags(
        ResourceArn=endpoint["EndpointArn"], Tags=[{"Key": "theirs", "Value": "1"}]
    )
    changed = write_config(CHANGED_TAGS)
    emulator.recorder.reset()
    planned, outcome = run("plan", changed), run("up", changed, *POLL)
    mutations = set(list_mutations(emulator))
    emulator.recorder.reset()
    again = run("up", changed, *POLL)

    assert '-  "team": "pricing"' in planned.output
    assert '+  "stage": "production"' in planned.output
    assert "sagemaker delete_tags: remove team" in planned.output
    assert outcome.exit_code == again.exit_code == 0, outcome.output + again.output
    assert mutations == {"DeleteTags", "AddTags", "UntagResource", "TagResource"}
    assert list_mutations(emulator) == []
    ours = {"stage": "production", "cost centre": "7"}
    assert read_user_tags(emulator) == [ours, ours, ours | {"theirs": "1"}, ours, ours]


def test_tags_removed_from_file(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A file without tags removes the tags that it added before."""
    run("up", write_config(), *POLL)
    bare = write_config({"  tags:\n    team: pricing\n": ""})
    run("up", bare, *POLL)

    assert read_user_tags(emulator) == [{}, {}, {}, {}, {}]
    assert "nothing to do" in run("plan", bare).output


def test_tag_change_killed_after_each_call(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Tags are correct in the end if the run is killed after each call in turn."""
    run("up", write_config(), *POLL)
    changed = write_config(CHANGED_TAGS)
    runs = count_runs_until_done(emulator, lambda: run("up", changed, *POLL).exit_code)

    assert runs == 11  # remove and add for each of five resources, and a run without changes
    assert {tuple(tags) for tags in read_user_tags(emulator)} == {("stage", "cost centre")}


def test_version_tag_after_update(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """After an update, the endpoint's version tag is the version in use."""
    run("up", write_config(), *POLL)
    run("up", write_config({"version: 1.0.0": "version: 1.1.0"}), *POLL)
    sagemaker = emulator.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName="diamonds")["EndpointArn"]

    assert {"Key": "xgb-endpoint:version", "Value": "1.1.0"} in sagemaker.list_tags(
        ResourceArn=arn
    )["Tags"]
