"""Failures are one line each, leave nothing orphaned, and the next run continues."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.support import (
    NEW_INSTANCE_TYPE,
    POLL,
    count_runs_until_done,
    list_mutations,
    list_resources,
)
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import BUCKET, Emulator
from tests.support.server import ROOT


def kill_at_first_mutation(
    process: "subprocess.Popen[bytes]",
) -> Callable[[ApiCall, int], Fault | None]:
    """Kill a process at its first mutating call, which AWS still executes."""

    def fault(call: ApiCall, count: int) -> Fault | None:
        if call.mutates and count == 1:
            process.kill()
        return None

    return fault


def test_killed_run(emulator: Emulator, run: Run, config_file: Path) -> None:
    """After a kill, up continues and creates nothing twice."""
    command = [sys.executable, "-m", "deploy", "up", str(config_file), *POLL]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **emulator.environment}, stdout=subprocess.DEVNULL
    ) as process:
        emulator.recorder.inject_fault = kill_at_first_mutation(process)
        code = process.wait(60)
    emulator.recorder.inject_fault = lambda *_: None
    finished = run("up", config_file, *POLL)

    assert code == -signal.SIGKILL
    assert finished.exit_code == 0, finished.output
    assert len(list_mutations(emulator)) == 8
    assert len(list_resources(emulator)) == 8


def test_creation_killed_after_each_call(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Up completes a creation that is killed after each call, and creates nothing twice."""
    runs = count_runs_until_done(emulator, lambda: run("up", config_file, *POLL).exit_code)
    names = list_resources(emulator)

    assert runs == 9
    assert len(names) == len(set(names)) == 8


def test_update_killed_after_each_call(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """Up completes an update of the instance type that is killed after each call."""
    run("up", write_config(), *POLL)
    changed = write_config(NEW_INSTANCE_TYPE)
    runs = count_runs_until_done(emulator, lambda: run("up", changed, *POLL).exit_code)
    sagemaker = emulator.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName="diamonds")["EndpointConfigName"]

    assert (
        runs == 7
    )  # config, deregister, update, register, policy, tags, and a run without changes
    assert (
        sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0][
            "InstanceType"
        ]
        == "ml.c7i.large"
    )
    assert {"endpoint/diamonds/variant/AllTraffic", "xgb-endpoint-target-tracking"} <= set(
        list_resources(emulator)
    )


def test_down_killed_after_each_call(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Down completes a removal that is killed after each call, and leaves nothing."""
    run("up", config_file, *POLL)
    runs = count_runs_until_done(
        emulator, lambda: run("down", config_file, "--yes", *POLL).exit_code
    )

    assert runs == 7  # target, alarms, endpoint, config, model, artifact, and a run without changes
    assert list_resources(emulator) == []


def test_down_deletes_only_own_resources(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Down deletes nothing without confirmation, and nothing that others created."""
    run("up", config_file, *POLL)
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName="diamonds-mine",
        MetricName="x",
        Namespace="x",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
        Period=60,
        Threshold=1,
    )
    emulator.client("s3").put_object(
        Bucket=BUCKET, Key="xgb-endpoint/123456789012/diamonds/mine", Body=b""
    )
    declined, before = run("down", config_file), list_resources(emulator)
    run("down", config_file, "--yes", *POLL)

    assert declined.exit_code == 1
    assert "diamonds" in before
    assert list_resources(emulator) == ["diamonds-mine", "xgb-endpoint/123456789012/diamonds/mine"]


def test_foreign_endpoint(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An endpoint of the same name without the owner tag is neither changed nor deleted."""
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_model(
        ModelName="theirs",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
        PrimaryContainer={"Image": "i"},
    )
    variant = {
        "VariantName": "a",
        "ModelName": "theirs",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="theirs", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="diamonds", EndpointConfigName="theirs")
    emulator.recorder.reset()
    outcomes = [
        run("up", config_file, *POLL),
        run("down", config_file, "--yes", *POLL),
        run("rollback", config_file, "--yes", *POLL),
    ]

    assert list_mutations(emulator) == []
    for outcome in outcomes:
        assert outcome.exit_code == 1
        assert "was not created by this program" in outcome.output


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredTokenException", "credentials have expired"),
        ("UnrecognizedClientException", "credentials are not valid"),
        ("AccessDeniedException", "python -m deploy iam"),
        ("ThrottlingException", "throttled"),
        ("InternalFailure", "run the same command again to continue"),
        ("ValidationException", "AWS rejected"),
    ],
)
def test_aws_errors_are_one_line(
    emulator: Emulator, run: Run, config_file: Path, code: str, words: str
) -> None:
    """An AWS error is reported in one line with the remedy."""
    status = 500 if code == "InternalFailure" else 400
    emulator.recorder.inject_fault = lambda call, _: (
        Fault(code, status=status) if call.operation == "DescribeEndpoint" else None
    )
    outcome = run("status", config_file)

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.splitlines()) == 1


def test_throttled_call_is_retried(
    emulator: Emulator, run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is throttled once is retried."""
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    throttled: list[str] = []

    def fault(call: ApiCall, _: int) -> Fault | None:
        if call.operation == "CreateModel" and not throttled:
            throttled.append(call.operation)
            return Fault("ThrottlingException")
        return None

    emulator.recorder.inject_fault = fault
    outcome = run("up", config_file, *POLL)

    assert throttled
    assert outcome.exit_code == 0, outcome.output
