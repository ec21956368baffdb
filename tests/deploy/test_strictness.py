"""What AWS refuses the emulator refuses too, so that a test of the command line that asks for it fails."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.conftest import Run
from tests.deploy.test_life import POLL, mutations
from tests.support.aws_emulator.recorder import ApiCall, Fault
from tests.support.aws_emulator.server import Emulator

NAMES = {"EndpointName": "one"}
CONFIG, MODEL = {"EndpointConfigName": "small"}, {"ModelName": "one"}
CREATION = {
    **MODEL,
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r",
    "PrimaryContainer": {"Image": "i"},
}
SCALED = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "MinCapacity": 1,
    "MaxCapacity": 2,
}
TRAFFIC = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
GUARDED = {
    "BlueGreenUpdatePolicy": TRAFFIC,
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "none"}]},
}


def variants(instance_type: str) -> list[dict[str, Any]]:
    return [{"VariantName": "a", **MODEL, "InstanceType": instance_type, "InitialInstanceCount": 1}]


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sagemaker", "create_model", CREATION),
        ("sagemaker", "create_endpoint_config", {**CONFIG, "ProductionVariants": variants("ml.m5.large")}),
        ("sagemaker", "create_endpoint", NAMES | CONFIG),
        ("sagemaker", "delete_endpoint_config", CONFIG),
        ("sagemaker", "delete_model", MODEL),
        ("sagemaker", "update_endpoint", NAMES | {"EndpointConfigName": "large"}),
        ("sagemaker", "update_endpoint", NAMES | CONFIG | {"DeploymentConfig": GUARDED}),
        ("application-autoscaling", "register_scalable_target", SCALED | {"ResourceId": "endpoint/none/variant/a"}),
    ],
)  # fmt: skip
def test_refused(
    emulator: Emulator, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    """Names that are taken, removals of what is used, and updates that AWS does not make are refused."""
    sagemaker, scaling = emulator.client("sagemaker"), emulator.client("application-autoscaling")
    sagemaker.create_model(**CREATION)
    for size in ("small", "large"):
        sagemaker.create_endpoint_config(
            EndpointConfigName=size, ProductionVariants=variants(f"ml.m5.{size}")
        )
    sagemaker.create_endpoint(**NAMES, **CONFIG)
    sagemaker.describe_endpoint(**NAMES)
    scaling.register_scalable_target(**SCALED, ResourceId="endpoint/one/variant/a")
    with pytest.raises(ClientError) as refusal:
        getattr(emulator.client(service), operation)(**parameters)

    assert [refusal.value.response["Error"]["Message"]] == emulator.rejections
    emulator.rejections.clear()


def test_refused_while_an_update_is_under_way(emulator: Emulator) -> None:
    """An endpoint that is being made or changed takes neither an update nor its removal."""
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_model(**CREATION)
    sagemaker.create_endpoint_config(**CONFIG, ProductionVariants=variants("ml.m5.large"))
    sagemaker.create_endpoint(**NAMES, **CONFIG)
    for operation, parameters in (("update_endpoint", NAMES | CONFIG), ("delete_endpoint", NAMES)):
        with pytest.raises(ClientError, match="in-progress"):
            getattr(sagemaker, operation)(**parameters)

    assert len(emulator.rejections) == 2
    emulator.rejections.clear()


@pytest.mark.parametrize(
    "operation", ["CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint"]
)
def test_an_answer_that_is_lost(
    emulator: Emulator,
    run: Run,
    write_config: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    """A call that was carried out, but whose answer was lost, is refused when boto3 makes it again: up knows that it is done."""
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    if operation == "UpdateEndpoint":
        run("up", write_config(), *POLL)
    lost: list[ApiCall] = []

    def fault(call: ApiCall, _: int) -> Fault | None:
        lost.extend([call] if call.operation == operation else [])
        return (
            Fault("InternalFailure", status=500, applied=True)
            if call.operation == operation and len(lost) == 1
            else None
        )

    emulator.recorder.inject_fault = fault
    outcome = run(
        "up", write_config({"environment: {}": "environment: {SERVE_FRONTEND: flask}"}), *POLL
    )

    assert outcome.exit_code == 0, outcome.output
    assert mutations(emulator).count(operation) >= 2
    assert len(emulator.rejections) == 1
    emulator.rejections.clear()
