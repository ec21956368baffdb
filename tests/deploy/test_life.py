"""The whole life of an endpoint, over HTTP against the emulator."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.deploy.conftest import Run
from tests.support.aws_emulator.server import BUCKET, Emulator
from tests.support.server import ROOT

POLL = ("--poll-seconds", "0.01")
PAYLOAD = ROOT / "local_test" / "payloads" / "diamonds.csv"


def left(emulator: Emulator) -> list[str]:
    """Return the names of all that is there but the bucket and the image."""
    sagemaker, scaling = emulator.client("sagemaker"), emulator.client("application-autoscaling")
    return [
        *(one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]),
        *(
            one["EndpointConfigName"]
            for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]
        ),
        *(one["ModelName"] for one in sagemaker.list_models()["Models"]),
        *(
            one["ResourceId"]
            for one in scaling.describe_scalable_targets(ServiceNamespace="sagemaker")[
                "ScalableTargets"
            ]
        ),
        *(
            one["PolicyName"]
            for one in scaling.describe_scaling_policies(ServiceNamespace="sagemaker")[
                "ScalingPolicies"
            ]
        ),
        *(
            one["AlarmName"]
            for one in emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
        ),
        *(
            one["Key"]
            for one in emulator.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
        ),
    ]


def mutations(emulator: Emulator) -> list[str]:
    return [call.operation for call in emulator.recorder.calls if call.mutates]


def test_a_whole_life(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Up makes an endpoint that predicts as XGBoost does; up again changes nothing; down leaves the bucket and the image alone."""
    first, second = run("up", config_file, *POLL), run("up", config_file, *POLL)
    invoked, status = run("invoke", config_file, PAYLOAD), run("status", config_file)
    made = mutations(emulator)
    removed = run("down", config_file, "--yes", *POLL)

    assert first.exit_code == 0, first.output
    assert "smoke test passed: all 10 numbers" in first.output
    assert second.exit_code == 0, second.output
    assert made == ["PutObject", "CreateModel", "CreateEndpointConfig", "PutMetricAlarm", "PutMetricAlarm", "CreateEndpoint",
                    "RegisterScalableTarget", "PutScalingPolicy"]  # fmt: skip
    assert np.float32(invoked.output.splitlines()[0]) == np.float32(2008.307)
    assert "InService" in status.output
    assert removed.exit_code == 0, removed.output
    assert (
        "What it wrote stays: the log group /aws/sagemaker/Endpoints/diamonds; old versions of artifacts"
        in removed.output
    )
    assert left(emulator) == []
    assert emulator.client("ecr").describe_images(repositoryName="xgb-endpoint")["imageDetails"]


def test_an_update_and_the_way_back(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """A new version takes over in batches under its alarms, keeps the number of instances, and rollback goes back."""
    run("up", write_config(), *POLL)
    old = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
        "EndpointConfigName"
    ]
    updated = run("up", write_config({"1.0.0": "1.1.0", "percent: 50": "percent: 25"}), *POLL)
    again = write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"})
    updated = run("up", again, *POLL)
    update = next(
        call.parameters for call in emulator.recorder.calls if call.operation == "UpdateEndpoint"
    )
    back = run("rollback", again, "--yes", *POLL)

    assert updated.exit_code == 0, updated.output
    assert update["RetainAllVariantProperties"] is True
    assert update["DeploymentConfig"]["RollingUpdatePolicy"]["MaximumBatchSize"] == {
        "Type": "CAPACITY_PERCENT",
        "Value": 25,
    }
    assert {
        alarm["AlarmName"]
        for alarm in update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    } == {
        "diamonds-errors-5xx",
        "diamonds-latency-p99",
    }
    assert back.exit_code == 0, back.output
    assert old not in updated.output.splitlines()[-1]


def test_old_ones_are_removed(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """After a success up leaves what serves and what rollback goes back to; before it, and of others, it removes nothing."""
    shutil.copytree(ROOT / "model" / "artifact", tmp_path / "artifact")
    artifact = {f"{ROOT}/model/artifact": str(tmp_path / "artifact")}
    run("up", write_config(artifact), *POLL)
    (tmp_path / "artifact" / "more.txt").write_text("another artifact")
    run("up", write_config({**artifact, "1.0.0": "2.0.0"}), *POLL)
    third = write_config({**artifact, "1.0.0": "3.0.0"})
    emulator.client("s3").put_object(
        Bucket=BUCKET, Key="xgb-endpoint/123456789012/diamonds/mine/model.tar.gz", Body=b""
    )
    planned, before = run("plan", third), left(emulator)
    outcome, after = run("up", third, *POLL), left(emulator)
    back = run("rollback", third, "--yes", *POLL)

    assert "sagemaker delete_model: a model older than the one before" in planned.output
    assert outcome.exit_code == 0, outcome.output
    assert len([name for name in before if name.startswith("diamonds-1-0-0-")]) == 2
    assert len(set(before) - set(after)) == 3  # config, model and artifact of the first
    assert not any(name.startswith("diamonds-1-0-0-") for name in after)
    assert "xgb-endpoint/123456789012/diamonds/mine/model.tar.gz" in after
    assert "nothing to do" in run("plan", write_config({**artifact, "1.0.0": "2.0.0"})).output
    assert back.exit_code == 0, back.output


def test_a_failure_removes_nothing(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An update that is rolled back leaves all configs and models, of which one serves."""
    for version in "123":
        emulator.transitions = (
            [("RollingBack", False), ("InService", False)] if version == "3" else []
        )
        outcome = run("up", write_config({"1.0.0": f"{version}.0.0"}), *POLL)

    assert outcome.exit_code == 1
    assert (
        len([name for name in left(emulator) if name.startswith("diamonds-") and name[9].isdigit()])
        == 6
    )


def test_each_step_names_its_object(run: Run, write_config: Callable[..., Path]) -> None:
    """The lines of what is made and removed name it, so that two of a kind are two lines."""
    lines = run("up", write_config(), *POLL).output.splitlines()
    run("up", write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"}), *POLL)
    lines += run("down", write_config(), "--yes", *POLL).output.splitlines()
    named = [
        line.split(":")[0]
        for line in lines
        if line.startswith(("put_metric_alarm", "delete_endpoint_config"))
    ]

    assert {"put_metric_alarm diamonds-errors-5xx", "put_metric_alarm diamonds-latency-p99"} <= set(
        named
    )
    assert len(named) == len(set(named)) == 4


def test_an_update_that_fails(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An update that ends in service by a rollback is a failure that names the reason; the old config serves."""
    run("up", write_config(), *POLL)
    old = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
        "EndpointConfigName"
    ]
    emulator.transitions = [("Updating", False), ("RollingBack", False), ("InService", False)]
    failed = run(
        "up", write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"}), *POLL
    )

    assert failed.exit_code == 1
    assert "rolled back: the alarm diamonds-errors-5xx went off" in failed.output
    assert (
        emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
            "EndpointConfigName"
        ]
        == old
    )


def test_an_endpoint_that_cannot_be_changed(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An endpoint out of service is told, and so is the only way out: down and up."""
    run("up", write_config(), *POLL)
    emulator.transitions = [("Updating", False), ("OutOfService", False)]
    changed = write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"})
    failed, next_time = run("up", changed, *POLL), run("up", changed, *POLL)

    assert "OutOfService" in failed.output
    assert failed.exit_code == next_time.exit_code == 1
    assert "down, then up" in next_time.output


def test_a_creation_that_fails(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An endpoint that never came into service is made anew by the next up."""
    emulator.transitions = [("Creating", True), ("Failed", True)]
    failed = run("up", config_file, *POLL)
    emulator.transitions = []
    finished = run("up", config_file, *POLL)

    assert failed.exit_code == 1
    assert "Failed: the alarm" in failed.output
    assert finished.exit_code == 0, finished.output


@pytest.mark.parametrize("rolls_back", [False, True])
def test_another_instance_type_under_scaling(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], *, rolls_back: bool
) -> None:
    """The instance type changes without scaling, which is there again after it, even after a rollback."""
    run("up", write_config(), *POLL)
    emulator.recorder.reset()
    emulator.transitions = [("RollingBack", False), ("InService", False)] if rolls_back else []
    outcome = run(
        "up", write_config({"instance_type: ml.c6i.large": "instance_type: ml.c7i.large"}), *POLL
    )

    assert outcome.exit_code == rolls_back, outcome.output
    assert mutations(emulator) == [
        "CreateEndpointConfig",
        "DeregisterScalableTarget",
        "UpdateEndpoint",
        "RegisterScalableTarget",
        "PutScalingPolicy",
        *([] if rolls_back else ["AddTags"]),
    ]
    assert "endpoint/diamonds/variant/AllTraffic" in left(emulator)
