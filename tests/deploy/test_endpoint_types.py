"""Endpoint types, update strategies and IAM policies, as sent to AWS."""

import json
import re
import time
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import Run
from tests.deploy.scaling_support import SCALABLE_TARGET
from tests.deploy.support import (
    NEW_INSTANCE_TYPE,
    PAYLOAD,
    POLL,
    SCALING,
    find_last_parameters,
    list_resources,
)
from tests.support.aws_emulator.runtime import REGION
from tests.support.aws_emulator.server import Emulator

ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "monitoring:": "cloudwatch:",
}


def test_serverless(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """A serverless endpoint has no instances, no scaling and no deployment guardrails."""
    serverless = {
        "instance_count: 2": "serverless: {memory_mb: 4096, max_concurrency: 5}",
        SCALING: "",
    }
    created = run("up", write_config(serverless), *POLL)
    updated = run("up", write_config({**serverless, "1.0.0": "2.0.0"}), *POLL)

    assert created.exit_code == updated.exit_code == 0, created.output + updated.output
    assert (
        "InstanceType"
        not in find_last_parameters(emulator, "CreateEndpointConfig")["ProductionVariants"][0]
    )


@pytest.mark.parametrize(
    ("strategy", "routing"),
    [
        (
            "canary",
            {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 300,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
            },
        ),
        (
            "linear",
            {
                "Type": "LINEAR",
                "WaitIntervalInSeconds": 300,
                "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
            },
        ),
        ("all_at_once", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}),
    ],
)
def test_blue_green_strategies(
    emulator: Emulator,
    run: Run,
    write_config: Callable[..., Path],
    strategy: str,
    routing: dict[str, Any],
) -> None:
    """Each strategy is sent as configured; without scaling, the file's instance count applies."""
    run("up", write_config(), *POLL)
    changes = {
        "strategy: rolling": f"strategy: {strategy}",
        "environment: {}": "environment: {SERVE_FRONTEND: flask}",
        SCALING: "",
    }
    outcome = run("up", write_config(changes), *POLL)
    update = find_last_parameters(emulator, "UpdateEndpoint")

    assert outcome.exit_code == 0, outcome.output
    assert (
        update["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
        == routing
    )
    assert update["RetainAllVariantProperties"] is False
    assert (
        emulator.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker"
        )["ScalableTargets"]
        == []
    )


def test_all_keys_are_sent(emulator: Emulator, run: Run, write_config: Callable[..., Path]) -> None:
    """Network, isolation, capture and KMS keys are in the calls."""
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-central-1{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    more = f"""network:
  subnets: [{", ".join(subnets)}]
  security_groups: [sg-1]
  isolation: true
capture: {{destination: "s3://captured/x", percent: 10}}
kms:
  artifact_key: "arn:aws:kms:eu-central-1:123456789012:key/1"
  volume_key: "arn:aws:kms:eu-central-1:123456789012:key/2"
"""
    config_file = write_config({"update:": f"{more}\nupdate:"})
    missing = run("plan", config_file)
    emulator.client("s3").create_bucket(
        Bucket="captured", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    outcome = run("up", config_file, *POLL)
    model, config = (
        find_last_parameters(emulator, "CreateModel"),
        find_last_parameters(emulator, "CreateEndpointConfig"),
    )

    assert (
        'capture.destination: "captured": bucket does not exist; create it with aws s3 mb'
        in missing.output
    )
    assert outcome.exit_code == 0, outcome.output
    assert model["VpcConfig"] == {"Subnets": subnets, "SecurityGroupIds": ["sg-1"]}
    assert model["EnableNetworkIsolation"] is True
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 10
    assert config["KmsKeyId"].endswith("key/2")
    upload = next(
        call for call in reversed(emulator.recorder.calls) if call.operation == "PutObject"
    )
    assert upload.headers["x_amz_server_side_encryption_aws_kms_key_id"].endswith("key/1")
    assert upload.headers["x_amz_tagging"] == "xgb-endpoint:endpoint=diamonds"


def test_kms_key_added_later(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """An artifact uploaded with another KMS key, or none, is uploaded again with the file's key."""
    run("up", write_config(), *POLL)
    for number in (1, 2):
        key = f"arn:aws:kms:eu-central-1:123456789012:key/{number}"
        outcome = run(
            "up", write_config({"update:": f"kms: {{artifact_key: '{key}'}}\nupdate:"}), *POLL
        )
        upload = next(
            call for call in reversed(emulator.recorder.calls) if call.operation == "PutObject"
        )

        assert outcome.exit_code == 0, outcome.output
        assert upload.headers["x_amz_server_side_encryption_aws_kms_key_id"] == key
        model = find_last_parameters(emulator, "CreateModel")["PrimaryContainer"]["ModelDataUrl"]
        assert model.removeprefix("s3://example-models/") in list_resources(emulator)


def test_deployment_policy_allows_all_calls(
    emulator: Emulator, run: Run, write_config: Callable[..., Path]
) -> None:
    """The deployment policy allows every call that the commands send."""
    config_file = write_config()
    run("up", config_file, *POLL)
    emulator.client("application-autoscaling").put_scheduled_action(
        **SCALABLE_TARGET,
        ScheduledActionName="mornings",
        ScalableTargetAction={"MinCapacity": 3},
        Schedule="cron(0 8 * * ? *)",
    )
    run("up", write_config(NEW_INSTANCE_TYPE), *POLL)
    for verb, *arguments in (
        ("status",),
        ("invoke", PAYLOAD),
        ("logs",),
        ("rollback", "--yes", *POLL),
        ("down", "--yes", *POLL),
    ):
        run(verb, config_file, *arguments)
    called = {f"{call.service}:{call.operation}" for call in emulator.recorder.calls}
    policy = json.loads(run("iam", config_file, "deployment").output)
    allowed = {action for statement in policy["Statement"] for action in statement["Action"]}

    assert len(called) > 25
    for call in called:
        assert ACTIONS.get(call, call.replace("monitoring:", "cloudwatch:")) in allowed, call
    assert not any(fnmatch(action, "*[*]*") for action in allowed)


def test_policies_are_valid_json(run: Run, config_file: Path) -> None:
    """All four policies are printed, and each action names its service."""
    policies = json.loads(run("iam", config_file).output)

    assert set(policies) == {"execution", "execution-trust", "deployment", "invocation"}
    assert all(
        re.match(r"[a-z0-9-]+:[A-Z]", action)
        for statement in policies["execution"]["Statement"]
        for action in statement["Action"]
    )


def test_logs(emulator: Emulator, run: Run, config_file: Path) -> None:
    """Logs prints the container logs, or says that there are none yet."""
    none = run("logs", config_file)
    logs, group = emulator.client("logs"), "/aws/sagemaker/Endpoints/diamonds"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="AllTraffic/i-1")
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=group,
        logStreamName="AllTraffic/i-1",
        logEvents=[{"timestamp": now, "message": "cannot serve"}],
    )

    assert "no logs yet: the log group" in none.output
    assert "cannot serve" in run("logs", config_file).output


def test_invoke_reports_container_error(run: Run, config_file: Path, tmp_path: Path) -> None:
    """A rejected payload is reported with the container's status and message."""
    run("up", config_file, *POLL)
    (tmp_path / "bad.csv").write_text("abc,1\n")
    outcome, none = (
        run("invoke", config_file, tmp_path / "bad.csv"),
        run("invoke", config_file, tmp_path / "none.csv"),
    )

    assert outcome.exit_code == 1
    assert "the container responded with status 400" in outcome.output
    assert f"{tmp_path}/none.csv: No such file or directory" in none.output
