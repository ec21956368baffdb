"""Production variants, data capture, and the runtime's own life."""

import json
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.diamonds import ARTIFACT, CSV, PAYLOADS
from tests.support.local_runtime import Runtime, runtime
from tests.support.server import ROOT, Server


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A runtime with two variants, of which the second has no weight, that captures all."""
    variants = ("--variant", f"blue={ARTIFACT}:3", "--variant", f"green={ARTIFACT}:0")
    with runtime(tmp_path_factory.mktemp("s3"), *variants, "--capture", "100") as started:
        yield started


def invoke(two: Runtime, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = two.client().invoke_endpoint(
        **{"EndpointName": "local", "ContentType": "text/csv", "Body": CSV.encode(), **parameters}
    )
    return answer | {"Body": answer["Body"].read()}


def test_weights_and_targets(two: Runtime, diamonds: Server) -> None:
    """Traffic goes by weight, and a named variant is called even without any."""
    answers = [invoke(two) for _ in range(10)]
    named = invoke(two, TargetVariant="green")

    assert {answer["InvokedProductionVariant"] for answer in answers} == {"blue"}
    assert named["InvokedProductionVariant"] == "green"
    assert named["Body"] == diamonds.post(CSV).content


def captured(two: Runtime, inference_id: str) -> dict[str, Any]:
    lines = [
        json.loads(line)
        for path in two.s3.rglob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    [record] = [line for line in lines if line["eventMetadata"].get("inferenceId") == inference_id]
    return dict(record)


def test_capture_holds_both_sides(two: Runtime, diamonds: Server) -> None:
    """A captured invocation has the format of AWS's files (contract 10.4)."""
    invoke(two, InferenceId="csv", CustomAttributes="trace=1")
    record = captured(two, "csv")
    path = next(two.s3.rglob("*.jsonl")).relative_to(
        two.s3 / "sagemaker-local" / "data-capture" / "local"
    )

    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": CSV,
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": diamonds.post(CSV).headers["Content-Type"],
            "mode": "OUTPUT",
            "data": diamonds.post(CSV).text,
            "encoding": "CSV",
        },
    }
    assert record["eventMetadata"]["customAttributes"] == ["trace=1"]
    assert datetime.fromisoformat(record["eventMetadata"]["inferenceTime"]).strftime(
        "%Y/%m/%d/%H"
    ) in str(path)
    assert path.parts[0] in {"blue", "green"}


def test_capture_in_json_and_base64(two: Runtime) -> None:
    """What is neither CSV nor JSON by its media type is captured in base64 (contract 10.4)."""
    lines = (PAYLOADS / "diamonds.jsonl").read_text()
    invoke(
        two,
        InferenceId="lines",
        ContentType="application/jsonlines",
        Accept="application/json",
        Body=lines.encode(),
    )
    sides = captured(two, "lines")["captureData"]

    assert sides["endpointInput"]["encoding"] == "BASE64"
    assert b64decode(sides["endpointInput"]["data"]).decode() == lines
    assert sides["endpointOutput"]["encoding"] == "JSON"
    assert json.loads(sides["endpointOutput"]["data"])["predictions"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_stop_stops_the_containers_too(tmp_path: Path, number: int) -> None:
    """A runtime that is stopped leaves no container behind."""
    command = [
        sys.executable,
        "-m",
        "local_test.runtime",
        "--port",
        "0",
        "--s3",
        str(tmp_path),
        "--folder",
        str(ARTIFACT),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    [url] = [line.split()[-1] for line in lines if line.startswith("Variant AllTraffic")]
    assert requests.get(f"{url}/ping", timeout=10).status_code == 200
    process.send_signal(number)
    process.communicate(timeout=60)

    assert process.returncode == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/ping", timeout=10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--variant", "blue"), "expected NAME=FOLDER:WEIGHT"),
        (("--variant", f"blue={ARTIFACT}:0"), "the weights of all variants are 0"),
        (("--variant", f"blue={ARTIFACT}:inf"), "expected NAME=FOLDER:WEIGHT"),
        (("--variant", f"../blue={ARTIFACT}:1"), "'../blue' is no name"),
        (
            ("--variant", f"blue={ARTIFACT}:1", "--variant", f"blue={ARTIFACT}:1"),
            "two variants have the same name",
        ),
        (("--endpoint", "a/b"), "'a/b' is no name"),
        (("--container", "127.0.0.1:8080"), "expected http://HOST:PORT"),
        (("--s3", "README.md/s3"), "name a folder that can be written to"),
        (("--folder", "nowhere"), "the server exited with code 1"),
        (
            ("--container", "http://127.0.0.1:1", "--port", "{taken}"),
            "is taken: PORT=... or --port names another",
        ),
    ],
)
def test_what_prevents_the_start_is_said(
    diamonds: Server, options: tuple[str, ...], words: str
) -> None:
    """A wrong option, artifact or port ends the runtime with a line that says so."""
    filled = [option.format(taken=diamonds.address[1]) for option in options]
    outcome = subprocess.run(
        [sys.executable, "-m", "local_test.runtime", *filled],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert outcome.returncode in {1, 2}
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr
