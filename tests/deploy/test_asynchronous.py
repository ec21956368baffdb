"""Asynchronous endpoints: payloads and responses in S3, and scaling from zero."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.support import PAYLOAD, POLL, list_mutations, list_resources
from tests.deploy.test_endpoint_types import ACTIONS
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
WITHOUT_FAILURE_URI = {**ASYNCHRONOUS, ", failure: s3://replies/failures": ""}


@pytest.fixture
def config_file(emulator: Emulator, write_config: Callable[..., Path]) -> Path:
    """The configuration of an asynchronous endpoint that scales to zero; its bucket exists."""
    emulator.client("s3").create_bucket(
        Bucket="replies", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return write_config(ASYNCHRONOUS)


def payloads(emulator: Emulator) -> list[str]:
    return [name for name in list_resources(emulator) if "/payloads/" in name]


def test_up_invoke_down(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Payloads are deleted, invoke prints the server's bytes, and down leaves only responses."""
    first, second = run("up", config_file, *POLL), run("up", config_file, *POLL)
    invoked = run("invoke", config_file, PAYLOAD)
    request = urllib.request.Request(
        f"{emulator.container_url}/invocations", PAYLOAD.read_bytes(), {"Content-Type": "text/csv"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        expected = response.read()
    payloads_before_down, removed = payloads(emulator), run("down", config_file, "--yes", *POLL)

    assert first.exit_code == second.exit_code == 0, first.output + second.output
    assert "smoke test passed: all 10 numbers" in first.output
    assert invoked.stdout_bytes == expected
    assert payloads_before_down == []
    assert removed.exit_code == 0, removed.output
    assert "responses in s3://replies/x; failures in s3://replies/failures" in removed.output
    assert list_resources(emulator) == []
    assert len(emulator.client("s3").list_objects_v2(Bucket="replies")["Contents"]) == 3


def test_scale_from_zero(emulator: Emulator, run: Run, config_file: Path) -> None:
    """The alarm for a backlog without capacity triggers the policy that adds an instance."""
    run("up", config_file, *POLL)
    first_calls = list_mutations(emulator)
    emulator.recorder.reset()
    run("up", config_file, *POLL)
    found = emulator.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    policies = {policy["PolicyName"]: policy for policy in found}
    alarm = emulator.client("cloudwatch").describe_alarms(
        AlarmNames=["diamonds-backlog-without-capacity"]
    )["MetricAlarms"][0]

    assert first_calls[-5:] == [
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
    assert list_mutations(emulator) == ["PutObject", "DeleteObject"]  # the smoke test's payload


def test_wake_alarm_is_removed(
    emulator: Emulator, run: Run, config_file: Path, write_config: Callable[..., Path]
) -> None:
    """An endpoint with at least two instances has neither the wake policy nor its alarm."""
    run("up", config_file, *POLL)
    outcome = run("up", write_config({**ASYNCHRONOUS, "  min: 2": "  min: 2"}), *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert {"xgb-endpoint-wake", "diamonds-backlog-without-capacity"} & set(
        list_resources(emulator)
    ) == set()


@pytest.mark.parametrize("command", ["up", "up that is rolled back", "rollback"])
def test_wake_alarm_after_instance_type_change(
    emulator: Emulator, run: Run, config_file: Path, write_config: Callable[..., Path], command: str
) -> None:
    """After a change of instance type, or its rollback, the alarm triggers the new policy."""
    rolls_back = "rolled back" in command
    run("up", config_file, *POLL)
    changed = write_config({**ASYNCHRONOUS, "ml.c6i.large": "ml.c7i.large"})
    emulator.transitions = [("RollingBack", False), ("InService", False)] if rolls_back else []
    outcome = run("up", changed, *POLL)
    if command == "rollback":
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


def test_rejected_payload(emulator: Emulator, run: Run, config_file: Path, tmp_path: Path) -> None:
    """The container's error message is printed, and the payload is deleted."""
    run("up", config_file, *POLL)
    (tmp_path / "bad.csv").write_text("abc,1\n")
    outcome = run("invoke", config_file, tmp_path / "bad.csv")

    assert outcome.exit_code == 1
    assert "the invocation failed: Received client error (400)" in outcome.output
    assert payloads(emulator) == []


def test_slow_response(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Invoke polls for the response, reports its URI on stderr, and prints only it on stdout."""
    run("up", config_file, *POLL)
    polls: list[str] = []

    def fail_first_polls(call: ApiCall, _: int) -> Fault | None:
        if call.operation == "GetObject":
            polls.append(call.operation)
        return (
            Fault("NoSuchKey", status=404)
            if call.operation == "GetObject" and len(polls) <= 2
            else None
        )

    emulator.recorder.inject_fault = fail_first_polls
    outcome = run("invoke", config_file, PAYLOAD)

    assert outcome.exit_code == 0
    assert "queued; waiting for the response at s3://replies/x/" in outcome.stderr
    assert len(outcome.stdout.splitlines()) == 10


def test_no_response(
    emulator: Emulator,
    run: Run,
    config_file: Path,
    write_config: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """Without a failure URI, invoke times out and names the key; down removes the payload."""
    config_file = write_config(WITHOUT_FAILURE_URI)
    run("up", config_file, *POLL)
    (tmp_path / "bad.csv").write_text("abc,1\n")
    outcome = run("invoke", config_file, tmp_path / "bad.csv", "--timeout-seconds", 0)
    waiting = payloads(emulator)
    run("down", config_file, "--yes", *POLL)

    assert outcome.exit_code == 1
    assert "no response after 0 s at s3://replies/x/" in outcome.output
    assert "to see errors, set compute.asynchronous.failure" in outcome.output
    assert len(waiting) == 1
    assert list_resources(emulator) == []


def test_policies_allow_all_calls(emulator: Emulator, run: Run, config_file: Path) -> None:
    """The deployment policy allows all calls, the invocation policy those of invoke."""
    run("up", config_file, *POLL)
    calls_before_invoke = len(emulator.recorder.calls)
    run("invoke", config_file, PAYLOAD)
    invoked = {
        f"{call.service}:{call.operation}" for call in emulator.recorder.calls[calls_before_invoke:]
    }
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


def test_kind_of_endpoint_is_fixed(
    emulator: Emulator, run: Run, config_file: Path, write_config: Callable[..., Path]
) -> None:
    """An asynchronous endpoint cannot become real-time: plan and up fail without any change."""
    run("up", config_file, *POLL)
    emulator.recorder.reset()
    for outcome in (run("plan", write_config()), run("up", write_config(), *POLL)):
        assert outcome.exit_code == 1
        assert "AWS does not convert asynchronous endpoints to real-time" in outcome.output
    assert list_mutations(emulator) == []
