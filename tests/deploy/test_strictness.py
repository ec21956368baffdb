"""The emulator rejects what AWS rejects, so tests catch commands that would fail on AWS."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.conftest import Run
from tests.deploy.support import FLASK_FRONTEND, POLL, list_mutations
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import Emulator

ENDPOINT = {"EndpointName": "one"}
CONFIG, MODEL = {"EndpointConfigName": "small"}, {"ModelName": "one"}
CREATION = {
    **MODEL,
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r",
    "PrimaryContainer": {"Image": "i"},
}
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "MinCapacity": 1,
    "MaxCapacity": 2,
}
TRAFFIC = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
DEPLOYMENT_CONFIG = {
    "BlueGreenUpdatePolicy": TRAFFIC,
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "missing"}]},
}


def variants(instance_type: str) -> list[dict[str, Any]]:
    return [{"VariantName": "a", **MODEL, "InstanceType": instance_type, "InitialInstanceCount": 1}]


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sagemaker", "create_model", CREATION),
        (
            "sagemaker",
            "create_endpoint_config",
            {**CONFIG, "ProductionVariants": variants("ml.m5.large")},
        ),
        ("sagemaker", "create_endpoint", ENDPOINT | CONFIG),
        ("sagemaker", "delete_endpoint_config", CONFIG),
        ("sagemaker", "delete_model", MODEL),
        ("sagemaker", "update_endpoint", ENDPOINT | {"EndpointConfigName": "large"}),
        (
            "sagemaker",
            "update_endpoint",
            ENDPOINT | CONFIG | {"DeploymentConfig": DEPLOYMENT_CONFIG},
        ),
        (
            "application-autoscaling",
            "register_scalable_target",
            TARGET | {"ResourceId": "endpoint/none/variant/a"},
        ),
    ],
)
def test_rejected_calls(
    emulator: Emulator, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    """Duplicate names, deletion of resources in use and unsupported updates are rejected."""
    sagemaker, scaling = emulator.client("sagemaker"), emulator.client("application-autoscaling")
    sagemaker.create_model(**CREATION)
    for size in ("small", "large"):
        sagemaker.create_endpoint_config(
            EndpointConfigName=size, ProductionVariants=variants(f"ml.m5.{size}")
        )
    sagemaker.create_endpoint(**ENDPOINT, **CONFIG)
    sagemaker.describe_endpoint(**ENDPOINT)
    scaling.register_scalable_target(**TARGET, ResourceId="endpoint/one/variant/a")
    with pytest.raises(ClientError) as error:
        getattr(emulator.client(service), operation)(**parameters)

    assert [error.value.response["Error"]["Message"]] == emulator.rejections
    emulator.rejections.clear()


def test_rejected_while_in_progress(emulator: Emulator) -> None:
    """While an endpoint is being created or updated, updates and deletion are rejected."""
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_model(**CREATION)
    sagemaker.create_endpoint_config(**CONFIG, ProductionVariants=variants("ml.m5.large"))
    sagemaker.create_endpoint(**ENDPOINT, **CONFIG)
    for operation, parameters in (
        ("update_endpoint", ENDPOINT | CONFIG),
        ("delete_endpoint", ENDPOINT),
    ):
        with pytest.raises(ClientError, match="in-progress"):
            getattr(sagemaker, operation)(**parameters)

    assert len(emulator.rejections) == 2
    emulator.rejections.clear()


@pytest.mark.parametrize(
    "operation", ["CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint"]
)
def test_lost_response(
    emulator: Emulator,
    run: Run,
    write_config: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    """If a call took effect but its response was lost, up accepts that the retry is rejected."""
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    if operation == "UpdateEndpoint":
        run("up", write_config(), *POLL)
    attempts: list[ApiCall] = []

    def fault(call: ApiCall, _: int) -> Fault | None:
        attempts.extend([call] if call.operation == operation else [])
        return (
            Fault("InternalFailure", status=500, applied=True)
            if call.operation == operation and len(attempts) == 1
            else None
        )

    emulator.recorder.inject_fault = fault
    outcome = run("up", write_config(FLASK_FRONTEND), *POLL)

    assert outcome.exit_code == 0, outcome.output
    assert list_mutations(emulator).count(operation) >= 2
    assert len(emulator.rejections) == 1
    emulator.rejections.clear()
