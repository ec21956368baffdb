"""The life cycle of an endpoint: creation, update, rollback, cleanup and removal."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.deploy.conftest import Run
from tests.deploy.support import (
    FLASK_FRONTEND,
    NEW_INSTANCE_TYPE,
    PAYLOAD,
    POLL,
    ROLLED_BACK,
    list_mutations,
    list_resources,
)
from tests.support.aws_emulator.server import BUCKET, Emulator
from tests.support.server import ROOT


def test_life_cycle(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Up creates an endpoint, a second up changes nothing, and down keeps bucket and image."""
    first, second = run("up", config_file, *POLL), run("up", config_file, *POLL)
    invoked, status = run("invoke", config_file, PAYLOAD), run("status", config_file)
    mutations = list_mutations(emulator)
    removed = run("down", config_file, "--yes", *POLL)

    assert first.exit_code == 0, first.output
    assert "smoke test passed: all 10 numbers" in first.output
    assert second.exit_code == 0, second.output
    assert mutations == [
        "PutObject",
        "CreateModel",
        "CreateEndpointConfig",
        "PutMetricAlarm",
        "PutMetricAlarm",
        "CreateEndpoint",
        "RegisterScalableTarget",
        "PutScalingPolicy",
    ]
    assert np.float32(invoked.output.splitlines()[0]) == np.float32(2008.307)
    assert "InService" in status.output
    assert removed.exit_code == 0, removed.output
    assert (
        "Not deleted: the log group /aws/sagemaker/Endpoints/diamonds; old versions of artifacts"
        in removed.output
    )
    assert list_resources(emulator) == []
    assert emulator.client("ecr").describe_images(repositoryName="xgb-endpoint")["imageDetails"]


def test_update_and_rollback(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An update is rolling, guarded by alarms, and retains the instances; rollback reverts it."""
    run("up", write_config(), *POLL)
    old = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
        "EndpointConfigName"
    ]
    updated = run("up", write_config({"1.0.0": "1.1.0", "percent: 50": "percent: 25"}), *POLL)
    again = write_config(FLASK_FRONTEND)
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


def test_cleanup_after_update(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], tmp_path: Path
) -> None:
    """Up deletes only releases older than the previous one, and nothing that others created."""
    shutil.copytree(ROOT / "model" / "artifact", tmp_path / "artifact")
    artifact = {f"{ROOT}/model/artifact": str(tmp_path / "artifact")}
    run("up", write_config(artifact), *POLL)
    (tmp_path / "artifact" / "more.txt").write_text("another artifact")
    run("up", write_config({**artifact, "1.0.0": "2.0.0"}), *POLL)
    third = write_config({**artifact, "1.0.0": "3.0.0"})
    emulator.client("s3").put_object(
        Bucket=BUCKET, Key="xgb-endpoint/123456789012/diamonds/mine/model.tar.gz", Body=b""
    )
    planned, before = run("plan", third), list_resources(emulator)
    outcome, after = run("up", third, *POLL), list_resources(emulator)
    back = run("rollback", third, "--yes", *POLL)

    assert (
        "sagemaker delete_model: older than this release and not needed for a rollback"
        in planned.output
    )
    assert outcome.exit_code == 0, outcome.output
    assert len([name for name in before if name.startswith("diamonds-1-0-0-")]) == 2
    assert len(set(before) - set(after)) == 3  # config, model and artifact of the first
    assert not any(name.startswith("diamonds-1-0-0-") for name in after)
    assert "xgb-endpoint/123456789012/diamonds/mine/model.tar.gz" in after
    assert "nothing to do" in run("plan", write_config({**artifact, "1.0.0": "2.0.0"})).output
    assert back.exit_code == 0, back.output


def test_failed_update_deletes_nothing(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An update that is rolled back deletes no endpoint configs and models."""
    for version in "123":
        emulator.transitions = (
            [("RollingBack", False), ("InService", False)] if version == "3" else []
        )
        outcome = run("up", write_config({"1.0.0": f"{version}.0.0"}), *POLL)

    assert outcome.exit_code == 1
    assert (
        len(
            [
                name
                for name in list_resources(emulator)
                if name.startswith("diamonds-") and name[9].isdigit()
            ]
        )
        == 6
    )


def test_progress_names_resources(run: Run, write_config: Callable[..., Path]) -> None:
    """Progress lines name the resource, so calls of one operation are distinguishable."""
    lines = run("up", write_config(), *POLL).output.splitlines()
    run("up", write_config(FLASK_FRONTEND), *POLL)
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


def test_update_that_aws_rolls_back(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An update that AWS rolls back fails with the reason, and the old config stays in use."""
    run("up", write_config(), *POLL)
    old = emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
        "EndpointConfigName"
    ]
    emulator.transitions = ROLLED_BACK
    failed = run("up", write_config(FLASK_FRONTEND), *POLL)

    assert failed.exit_code == 1
    assert "rolled back: the alarm diamonds-errors-5xx went off" in failed.output
    assert (
        emulator.client("sagemaker").describe_endpoint(EndpointName="diamonds")[
            "EndpointConfigName"
        ]
        == old
    )


def test_endpoint_out_of_service(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An OutOfService endpoint is reported with the remedy: down, then up."""
    run("up", write_config(), *POLL)
    emulator.transitions = [("Updating", False), ("OutOfService", False)]
    changed = write_config(FLASK_FRONTEND)
    failed, next_time = run("up", changed, *POLL), run("up", changed, *POLL)

    assert "OutOfService" in failed.output
    assert failed.exit_code == next_time.exit_code == 1
    assert "down, then up" in next_time.output


def test_failed_creation(emulator: Emulator, run: Run, config_file: Path) -> None:
    """An endpoint whose creation failed is recreated by the next up."""
    emulator.transitions = [("Creating", True), ("Failed", True)]
    failed = run("up", config_file, *POLL)
    emulator.transitions = []
    finished = run("up", config_file, *POLL)

    assert failed.exit_code == 1
    assert "Failed: the alarm" in failed.output
    assert finished.exit_code == 0, finished.output


@pytest.mark.parametrize("rolls_back", [False, True])
def test_instance_type_change_with_scaling(
    emulator: Emulator, run: Run, write_config: Callable[..., Path], *, rolls_back: bool
) -> None:
    """Scaling is detached for a new instance type, and attached again even after a rollback."""
    run("up", write_config(), *POLL)
    emulator.recorder.reset()
    emulator.transitions = [("RollingBack", False), ("InService", False)] if rolls_back else []
    outcome = run("up", write_config(NEW_INSTANCE_TYPE), *POLL)

    assert outcome.exit_code == rolls_back, outcome.output
    assert list_mutations(emulator) == [
        "CreateEndpointConfig",
        "DeregisterScalableTarget",
        "UpdateEndpoint",
        "RegisterScalableTarget",
        "PutScalingPolicy",
        *([] if rolls_back else ["AddTags"]),
    ]
    assert "endpoint/diamonds/variant/AllTraffic" in list_resources(emulator)
