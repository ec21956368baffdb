"""What goes wrong on the way: one clear line, nothing orphaned, and the next run finishes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.conftest import Run
from tests.deploy.test_life import POLL, left, mutations
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import BUCKET, Emulator
from tests.support.server import ROOT

MOST_RUNS = 20
LOST = Fault("InternalFailure", status=500, applied=True)
DEAD = Fault("InternalFailure", status=500)
RETYPED = {"instance_type: ml.c6i.large": "instance_type: ml.c7i.large"}


def runs_until_done(emulator: Emulator, verb: Callable[[], int]) -> int:
    """Run a verb of which each run ends with its first changing call, until one has nothing to change; return how many it took.

    The call is carried out, but its answer is lost, and no call after it is answered, so that AWS sees what it sees of a kill.
    """
    for number in range(1, MOST_RUNS):
        emulator.recorder.calls.clear()
        emulator.recorder.inject_fault = lambda call, count: (
            (LOST if call.mutates and count == 1 else DEAD) if count else None
        )
        if verb() == 0:
            return number
    raise AssertionError(f"not done after {MOST_RUNS} runs")


def killing(process: "subprocess.Popen[bytes]") -> Callable[[ApiCall, int], Fault | None]:
    """Kill a process with its first changing call, which is carried out."""

    def fault(call: ApiCall, count: int) -> Fault | None:
        if call.mutates and count == 1:
            process.kill()
        return None

    return fault


def test_killed(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Killed after a changing call, up goes on where it was, and makes nothing twice."""
    command = [sys.executable, "-m", "deploy", "up", str(config_file), *POLL]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **emulator.environment}, stdout=subprocess.DEVNULL
    ) as process:
        emulator.recorder.inject_fault = killing(process)
        code = process.wait(60)
    emulator.recorder.inject_fault = lambda *_: None
    finished = run("up", config_file, *POLL)

    assert code == -signal.SIGKILL
    assert finished.exit_code == 0, finished.output
    assert len(mutations(emulator)) == 8
    assert len(left(emulator)) == 8


def test_breaking_off_after_any_step(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Broken off after each of its changing calls in turn, up goes on where it was, and makes nothing twice."""
    runs = runs_until_done(emulator, lambda: run("up", config_file, *POLL).exit_code)
    names = left(emulator)

    assert runs == 9
    assert len(names) == len(set(names)) == 8


def test_an_update_that_breaks_off_after_any_step(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An update to another instance type whose answers are lost at each step in turn ends as one that went well."""
    run("up", write_config(), *POLL)
    changed = write_config(RETYPED)
    runs = runs_until_done(emulator, lambda: run("up", changed, *POLL).exit_code)
    sagemaker = emulator.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName="diamonds")["EndpointConfigName"]

    assert (
        runs == 7
    )  # config, scaling off, update, scaling on by two calls, tags, and a run that finds all done
    assert (
        sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0][
            "InstanceType"
        ]
        == "ml.c7i.large"
    )
    assert {"endpoint/diamonds/variant/AllTraffic", "xgb-endpoint-target-tracking"} <= set(
        left(emulator)
    )


def test_down_that_breaks_off_after_any_step(
    emulator: Emulator, run: Run, config_file: Path
) -> None:
    """Down goes on where it broke off, and leaves nothing."""
    run("up", config_file, *POLL)
    runs = runs_until_done(emulator, lambda: run("down", config_file, "--yes", *POLL).exit_code)

    assert (
        runs == 7
    )  # target with its policy, both alarms at once, endpoint, config, model, artifact; then there is nothing
    assert left(emulator) == []


def test_down_asks_and_removes_only_its_own(
    emulator: Emulator, run: Run, config_file: Path
) -> None:
    """Without a yes nothing is removed; what others made under a like name stays."""
    run("up", config_file, *POLL)
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName="diamonds-mine", MetricName="x", Namespace="x", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum", Period=60, Threshold=1,
    )  # fmt: skip
    emulator.client("s3").put_object(
        Bucket=BUCKET, Key="xgb-endpoint/123456789012/diamonds/mine", Body=b""
    )
    refused, before = run("down", config_file), left(emulator)
    run("down", config_file, "--yes", *POLL)

    assert refused.exit_code == 1
    assert "diamonds" in before
    assert left(emulator) == ["diamonds-mine", "xgb-endpoint/123456789012/diamonds/mine"]


def test_an_endpoint_of_somebody_else(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An endpoint of the same name that has no tag of this program is neither changed nor removed."""
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

    assert mutations(emulator) == []
    for outcome in outcomes:
        assert outcome.exit_code == 1
        assert "was not made by this program" in outcome.output


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
def test_refusals_are_one_line(
    emulator: Emulator, run: Run, config_file: Path, code: str, words: str
) -> None:
    """What AWS refuses is told in one line that says what to do."""
    status = 500 if code == "InternalFailure" else 400
    emulator.recorder.inject_fault = lambda call, _: (
        Fault(code, status=status) if call.operation == "DescribeEndpoint" else None
    )
    outcome = run("status", config_file)

    assert outcome.exit_code == 1
    assert words in outcome.output
    assert len(outcome.output.splitlines()) == 1


def test_throttling_is_waited_out(
    emulator: Emulator, run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is throttled once is made again."""
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
