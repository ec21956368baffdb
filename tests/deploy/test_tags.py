"""Tags follow the file, on what is there already."""

from collections.abc import Callable
from pathlib import Path

from tests.deploy.conftest import Run
from tests.deploy.test_faults import runs_until_done
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.server import Emulator

OTHER = {"    team: pricing": "    stage: production\n    cost centre: '7'"}


def tags(emulator: Emulator) -> list[dict[str, str]]:
    """Return the tags of all that was made, each with the tag of somebody else that the endpoint has."""
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


def test_other_tags_alone(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """Changed tags are in the plan, and on all that is there after up, which makes nothing new; what others tagged stays."""
    run("up", write_config(), *POLL)
    endpoint = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")
    emulator.client("sagemaker").add_tags(
        ResourceArn=endpoint["EndpointArn"], Tags=[{"Key": "theirs", "Value": "1"}]
    )
    changed = write_config(OTHER)
    emulator.recorder.reset()
    planned, outcome = run("plan", changed), run("up", changed, *POLL)
    made = set(mutations(emulator))
    emulator.recorder.reset()
    again = run("up", changed, *POLL)

    assert '-  "team": "pricing"' in planned.output
    assert '+  "stage": "production"' in planned.output
    assert "sagemaker delete_tags: without team" in planned.output
    assert outcome.exit_code == again.exit_code == 0, outcome.output + again.output
    assert made == {"DeleteTags", "AddTags", "UntagResource", "TagResource"}
    assert mutations(emulator) == []
    ours = {"stage": "production", "cost centre": "7"}
    assert tags(emulator) == [ours, ours, ours | {"theirs": "1"}, ours, ours]


def test_no_tags_any_more(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """A file without tags takes off those that it gave before, and up has nothing to do then."""
    run("up", write_config(), *POLL)
    bare = write_config({"  tags:\n    team: pricing\n": ""})
    run("up", bare, *POLL)

    assert tags(emulator) == [{}, {}, {}, {}, {}]
    assert "nothing to do" in run("plan", bare).output


def test_tags_whose_change_breaks_off_after_any_step(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Tags of which each call's answer is lost in turn are right in the end, and none that the file gave is left."""
    run("up", write_config(), *POLL)
    changed = write_config(OTHER)
    runs = runs_until_done(emulator, lambda: run("up", changed, *POLL).exit_code)

    assert runs == 11  # off and on for each of five, and a run that finds all done
    assert {tuple(one) for one in tags(emulator)} == {("stage", "cost centre")}


def test_a_new_version_is_on_the_tag(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """After an update the endpoint's tag has the version that it serves."""
    run("up", write_config(), *POLL)
    run("up", write_config({"version: 1.0.0": "version: 1.1.0"}), *POLL)
    sagemaker = emulator.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName="diamonds")["EndpointArn"]

    assert {"Key": "xgb-endpoint:version", "Value": "1.1.0"} in sagemaker.list_tags(
        ResourceArn=arn
    )["Tags"]
