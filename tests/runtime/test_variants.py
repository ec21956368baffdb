"""Production variants and data capture."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.support.diamonds import ARTIFACT, CSV, PAYLOADS
from tests.support.local_runtime import LocalRuntime, run_local_runtime
from tests.support.server import Server


@pytest.fixture(scope="module")
def two_variants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRuntime]:
    """A runtime with variants of weight 3 and 0 that captures every request."""
    variants = ("--variant", f"blue={ARTIFACT}:3", "--variant", f"green={ARTIFACT}:0")
    s3 = tmp_path_factory.mktemp("s3")
    with run_local_runtime(s3, *variants, "--capture", "100") as runtime:
        yield runtime


def invoke(runtime: LocalRuntime, **parameters: Any) -> dict[str, Any]:
    response: dict[str, Any] = runtime.create_client().invoke_endpoint(
        **{"EndpointName": "local", "ContentType": "text/csv", "Body": CSV.encode(), **parameters}
    )
    return response | {"Body": response["Body"].read()}


def test_weights_and_target_variant(two_variants: LocalRuntime, diamonds: Server) -> None:
    """Traffic follows the weights; TargetVariant selects a variant even if its weight is 0."""
    by_weight = [invoke(two_variants) for _ in range(10)]
    by_name = invoke(two_variants, TargetVariant="green")

    assert {response["InvokedProductionVariant"] for response in by_weight} == {"blue"}
    assert by_name["InvokedProductionVariant"] == "green"
    assert by_name["Body"] == diamonds.post(CSV).content


def find_captured_record(runtime: LocalRuntime, inference_id: str) -> dict[str, Any]:
    records = [
        json.loads(line)
        for path in runtime.s3.rglob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    [record] = [
        record for record in records if record["eventMetadata"].get("inferenceId") == inference_id
    ]
    return dict(record)


def test_captured_record_has_the_format_of_aws(
    two_variants: LocalRuntime, diamonds: Server
) -> None:
    """A captured record has the layout and the path of SageMaker's (contract 10.4)."""
    invoke(two_variants, InferenceId="csv", CustomAttributes="trace=1")
    record = find_captured_record(two_variants, "csv")
    capture_folder = two_variants.s3 / "sagemaker-local" / "data-capture" / "local"
    path = next(two_variants.s3.rglob("*.jsonl")).relative_to(capture_folder)
    inference_time = datetime.fromisoformat(record["eventMetadata"]["inferenceTime"])
    direct_response = diamonds.post(CSV)

    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": CSV,
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": direct_response.headers["Content-Type"],
            "mode": "OUTPUT",
            "data": direct_response.text,
            "encoding": "CSV",
        },
    }
    assert record["eventMetadata"]["customAttributes"] == ["trace=1"]
    assert inference_time.strftime("%Y/%m/%d/%H") in str(path)
    assert path.parts[0] in {"blue", "green"}


def test_capture_encodings(two_variants: LocalRuntime) -> None:
    """CSV and JSON are captured as text, all other media types in base64 (contract 10.4)."""
    json_lines = (PAYLOADS / "diamonds.jsonl").read_text()
    invoke(
        two_variants,
        InferenceId="lines",
        ContentType="application/jsonlines",
        Accept="application/json",
        Body=json_lines.encode(),
    )
    captured = find_captured_record(two_variants, "lines")["captureData"]

    assert captured["endpointInput"]["encoding"] == "BASE64"
    assert b64decode(captured["endpointInput"]["data"]).decode() == json_lines
    assert captured["endpointOutput"]["encoding"] == "JSON"
    assert json.loads(captured["endpointOutput"]["data"])["predictions"]
