"""Asynchronous endpoints: payloads and replies lie in S3, and the first of them wakes an endpoint from zero."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_kinds import ACTIONS
from tests.deploy.test_life import PAYLOAD, POLL, left, mutations
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.runtime import REGION
from tests.support.aws_emulator.server import Emulator

OUTPUT = "output: s3://replies/x, failure: s3://replies/failures"
ASYNCHRONOUS = {
    "instance_count: 2": f"instance_count: 2\n  asynchronous: {{{OUTPUT}}}",
    "metric: invocations_per_instance": "metric: backlog_per_instance",
    "  min: 2": "  min: 0",
    "strategy: rolling": "strategy: all_at_once",
}
UNTOLD = {**ASYNCHRONOUS, ", failure: s3://replies/failures": ""}


@pytest.fixture
def config_file(emulator: Emulator, write_config: Callable[..., Path]) -> Path:
    """The file of an asynchronous endpoint that scales to zero, and the bucket of its replies."""
    emulator.client("s3").create_bucket(
        Bucket="replies", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return write_config(ASYNCHRONOUS)


def payloads(emulator: Emulator) -> list[str]:
    return [name for name in left(emulator) if "/payloads/" in name]


def test_a_whole_life(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Up smoke-tests by way of S3, invoke prints the server's own bytes, each payload is removed, and down leaves only replies."""
    made, again = run("up", config_file, *POLL), run("up", config_file, *POLL)
    invoked = run("invoke", config_file, PAYLOAD)
    request = urllib.request.Request(
        f"{emulator.container_url}/invocations", PAYLOAD.read_bytes(), {"Content-Type": "text/csv"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        expected = answer.read()
    between, removed = payloads(emulator), run("down", config_file, "--yes", *POLL)

    assert made.exit_code == again.exit_code == 0, made.output + again.output
    assert "smoke test passed: all 10 numbers" in made.output
    assert invoked.stdout_bytes == expected
    assert between == []
    assert removed.exit_code == 0, removed.output
    assert "replies in s3://replies/x; failures in s3://replies/failures" in removed.output
    assert left(emulator) == []
    assert len(emulator.client("s3").list_objects_v2(Bucket="replies")["Contents"]) == 3


def test_waking_from_zero(emulator: Emulator, run: Run, config_file: Path) -> None:
    """The alarm of a backlog without capacity starts the first instance: its action is the policy that adds one."""
    run("up", config_file, *POLL)
    made = mutations(emulator)
    emulator.recorder.reset()
    run("up", config_file, *POLL)
    found = emulator.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    policies = {policy["PolicyName"]: policy for policy in found}
    alarm = emulator.client("cloudwatch").describe_alarms(
        AlarmNames=["diamonds-backlog-without-capacity"]
    )["MetricAlarms"][0]

    assert made[-5:] == [
        "PutScalingPolicy",
        "PutScalingPolicy",
        "PutMetricAlarm",
        "PutObject",
        "DeleteObject",
    ]
    assert alarm["AlarmActions"] == [policies["xgb-endpoint-wake"]["PolicyARN"]]
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert (
        policies["xgb-endpoint-wake"]["StepScalingPolicyConfiguration"]["StepAdjustments"][0][
            "ScalingAdjustment"
        ]
        == 1
    )
    assert mutations(emulator) == ["PutObject", "DeleteObject"]  # the smoke test's payload


def test_waking_is_taken_off(
    emulator: Emulator, run: Run, config_file: Path, write_config: Callable[..., Path]
) -> None:
    """A file that scales to two instances at least has neither the policy nor the alarm that wakes."""
    run("up", config_file, *POLL)
    outcome = run("up", write_config({**ASYNCHRONOUS, "  min: 2": "  min: 2"}), *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert {"xgb-endpoint-wake", "diamonds-backlog-without-capacity"} & set(left(emulator)) == set()


@pytest.mark.parametrize("verb", ["up", "up that is rolled back", "rollback"])
def test_waking_after_another_instance_type(
    emulator: Emulator, run: Run, config_file: Path, write_config: Callable[..., Path], verb: str
) -> None:
    """The policy that is made anew for another instance type, there and back, is the one that the alarm starts."""
    rolls_back = "rolled back" in verb
    run("up", config_file, *POLL)
    changed = write_config({**ASYNCHRONOUS, "ml.c6i.large": "ml.c7i.large"})
    emulator.transitions = [("RollingBack", False), ("InService", False)] if rolls_back else []
    outcome = run("up", changed, *POLL)
    if verb == "rollback":
        outcome = run("rollback", changed, "--yes", *POLL)
    scaling, cloudwatch = emulator.client("application-autoscaling"), emulator.client("cloudwatch")
    policies = scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", PolicyNames=["xgb-endpoint-wake"]
    )["ScalingPolicies"]
    arn = next(
        policy["PolicyARN"] for policy in policies if policy["PolicyName"] == "xgb-endpoint-wake"
    )

    assert outcome.exit_code == rolls_back, outcome.output
    alarms = cloudwatch.describe_alarms(AlarmNames=["diamonds-backlog-without-capacity"])[
        "MetricAlarms"
    ]
    assert alarms[0]["AlarmActions"] == [arn]
    assert alarms[0]["Threshold"] == 1


def test_a_refused_payload(emulator: Emulator, run: Run, config_file: Path, tmp_path: Path) -> None:
    """What the container says of a payload that it refuses is told, and the payload is removed."""
    run("up", config_file, *POLL)
    (tmp_path / "bad.csv").write_text("abc,1\n")
    outcome = run("invoke", config_file, tmp_path / "bad.csv")

    assert outcome.exit_code == 1
    assert "the invocation failed: Received client error (400)" in outcome.output
    assert payloads(emulator) == []


def test_a_reply_that_takes_its_time(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Invoke looks until the reply is there, says where it will be, and prints nothing else on the standard output."""
    run("up", config_file, *POLL)
    looks: list[str] = []

    def not_yet(call: ApiCall, _: int) -> Fault | None:
        if call.operation == "GetObject":
            looks.append(call.operation)
        return (
            Fault("NoSuchKey", status=404)
            if call.operation == "GetObject" and len(looks) <= 2
            else None
        )

    emulator.recorder.inject_fault = not_yet
    outcome = run("invoke", config_file, PAYLOAD)

    assert outcome.exit_code == 0
    assert "queued; waiting for the response at s3://replies/x/" in outcome.stderr
    assert len(outcome.stdout.splitlines()) == 10


def test_a_reply_that_never_comes(
    emulator: Emulator,
    run: Run,
    config_file: Path,
    write_config: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """A failure that is told nowhere ends the wait with what the file lacks; down removes the payload."""
    config_file = write_config(UNTOLD)
    run("up", config_file, *POLL)
    (tmp_path / "bad.csv").write_text("abc,1\n")
    outcome = run("invoke", config_file, tmp_path / "bad.csv", "--timeout-seconds", 0)
    waiting = payloads(emulator)
    run("down", config_file, "--yes", *POLL)

    assert outcome.exit_code == 1
    assert "no response after 0 s at s3://replies/x/" in outcome.output
    assert "to see errors, set compute.asynchronous.failure" in outcome.output
    assert len(waiting) == 1
    assert left(emulator) == []


def test_the_policies_allow_what_is_called(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Each call of up and down is an action of the deployment policy, each of invoke one of the invocation policy too."""
    run("up", config_file, *POLL)
    whole = len(emulator.recorder.calls)
    run("invoke", config_file, PAYLOAD)
    invoked = {f"{call.service}:{call.operation}" for call in emulator.recorder.calls[whole:]}
    run("down", config_file, "--yes", *POLL)
    called = {f"{call.service}:{call.operation}" for call in emulator.recorder.calls}

    assert "sagemaker:InvokeEndpointAsync" in invoked
    for role, calls in (("invocation", invoked), ("deployment", called)):
        allowed = {
            action
            for statement in json.loads(run("iam", config_file, role).output)["Statement"]
            for action in statement["Action"]
        }
        assert {
            ACTIONS.get(call, call.replace("monitoring:", "cloudwatch:")) for call in calls
        } <= allowed


def test_no_other_kind(
    emulator: Emulator, run: Run, config_file: Path, write_config: Callable[..., Path]
) -> None:
    """AWS takes the queue from no endpoint: plan and up say so, and nothing is changed."""
    run("up", config_file, *POLL)
    emulator.recorder.reset()
    for refused in (run("plan", write_config()), run("up", write_config(), *POLL)):
        assert refused.exit_code == 1
        assert (
            "diamonds is an asynchronous endpoint, and AWS makes no real-time one of it"
            in refused.output
        )
    assert mutations(emulator) == []
