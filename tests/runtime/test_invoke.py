"""InvokeEndpoint, called with boto3, the AWS CLI and plain HTTP."""

import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.support.diamonds import CSV
from tests.support.local_runtime import LocalRuntime, run_local_runtime
from tests.support.responses import error_of
from tests.support.server import ROOT, Server, free_port

BODY = CSV.encode()
MIB = 1 << 20


def invoke(runtime: LocalRuntime, body: bytes = BODY, **parameters: Any) -> dict[str, Any]:
    response: dict[str, Any] = runtime.create_client().invoke_endpoint(
        **{"EndpointName": "local", "ContentType": "text/csv", **parameters}, Body=body
    )
    return response | {"Body": response["Body"].read()}


def invoke_with_error(
    runtime: LocalRuntime, body: bytes = BODY, **parameters: Any
) -> dict[str, Any]:
    """Return the error response, with the name of boto3's exception as "Class"."""
    with pytest.raises(ClientError) as caught:
        invoke(runtime, body, **parameters)
    response: dict[str, Any] = caught.value.response
    return response | {"Class": type(caught.value).__name__}


@pytest.mark.parametrize("accept", ["text/csv", "application/json", "application/jsonlines"])
def test_response_is_the_containers(
    local_runtime: LocalRuntime, diamonds: Server, accept: str
) -> None:
    """The caller gets the container's body, its media type and the variant (contract 3.1, 3.9)."""
    response = invoke(local_runtime, Accept=accept)
    direct = diamonds.post(CSV, Accept=accept)

    assert response["Body"] == direct.content
    assert response["ContentType"] == direct.headers["Content-Type"]
    assert response["InvokedProductionVariant"] == "AllTraffic"
    assert response["ResponseMetadata"]["RequestId"]


def test_custom_attributes_pass_in_both_directions(local_runtime: LocalRuntime) -> None:
    """Custom attributes reach the container, and its own reach the caller (contract 3.7)."""
    assert invoke(local_runtime, CustomAttributes="trace=1")["CustomAttributes"] == "trace=1"


def test_only_documented_headers_pass(faulty_runtime: LocalRuntime) -> None:
    """Four headers reach the container, and four the caller; no others (contract 3.2, 3.3, 3.8)."""
    parameters = {
        "Accept": "text/csv",
        "CustomAttributes": "a",
        "TargetModel": "m",
        "InferenceId": "i",
        "PrefixAwareId": "p",
    }
    response = invoke(faulty_runtime, b"headers", **parameters)
    received = json.loads(response["Body"])

    documented = {
        "content-type",
        "accept",
        "x-amzn-sagemaker-custom-attributes",
        "x-amzn-sagemaker-target-model",
    }
    assert set(received) == {"host", "content-length"} | documented
    assert received["content-type"] == received["accept"] == "text/csv"
    assert "x-secret" not in response["ResponseMetadata"]["HTTPHeaders"]


def test_omitted_headers_are_not_added(faulty_runtime: LocalRuntime) -> None:
    """Without ContentType and Accept the container receives neither header (contract 3.5, 3.6)."""
    response = faulty_runtime.create_client().invoke_endpoint(EndpointName="local", Body=b"headers")
    received = json.loads(response["Body"].read())

    assert not {"content-type", "accept"} & set(received)


def test_client_error_of_the_container_is_a_model_error(
    local_runtime: LocalRuntime, diamonds: Server
) -> None:
    """A container's 4xx becomes ModelError 424 with its status and message (contract 3.10)."""
    error = invoke_with_error(local_runtime, b"1,2\n")
    direct = diamonds.post("1,2\n")

    assert error["Class"] == "ModelError"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error["OriginalStatusCode"] == direct.status_code == 400
    assert json.loads(error["OriginalMessage"])["message"] == error_of(direct)
    assert error["Error"]["Message"].startswith(
        'Received client error (400) from primary with message "{'
    )
    assert error["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/local")


def test_server_error_of_the_container_is_a_model_error(faulty_runtime: LocalRuntime) -> None:
    """A container's 5xx is a server error, with 2,048 characters of its message (contract 3.10)."""
    error = invoke_with_error(faulty_runtime, b"fail 503 5000")

    assert (error["Class"], error["OriginalStatusCode"]) == ("ModelError", 503)
    assert error["OriginalMessage"] == "x" * 2048
    assert "Received server error (503)" in error["Error"]["Message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"sleep 3", "timed out"),
        (b"fail 302 2", "xx"),
        (b"drop", "closed the connection"),
        (b"chunks break", "before the end of the response"),
    ],
)
def test_no_complete_response_is_a_model_error(
    faulty_runtime: LocalRuntime, body: bytes, message: str
) -> None:
    """A late, missing, redirecting or incomplete response is a ModelError (contract 3.11)."""
    error = invoke_with_error(faulty_runtime, body)

    assert error["Class"] == "ModelError"
    assert message in error["OriginalMessage"]


def test_no_container_is_service_unavailable(tmp_path: Path) -> None:
    """Without a container the error is ServiceUnavailable, which clients retry (contract 3.12)."""
    url = f"http://127.0.0.1:{free_port()}"
    with run_local_runtime(tmp_path, "--container", url) as runtime:
        assert invoke_with_error(runtime)["Class"] == "ServiceUnavailable"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"EndpointName": "other"}, "Endpoint other of account 000000000000 not found"),
        ({"TargetVariant": "blue"}, "TargetVariant: expected one of AllTraffic, got blue"),
        (
            {"InferenceComponentName": "c"},
            "InferenceComponentName: not supported by this local runtime",
        ),
        ({"InferenceId": "i" * 65}, "InferenceId: expected at most 64 characters, got 65"),
        ({"SessionId": "-"}, "SessionId: expected a match of"),
        (
            {"body": b"x" * (6 * MIB + 1)},
            "Body: expected at most 6,291,456 bytes, got 6,291,457",
        ),
    ],
)
def test_invalid_parameters_are_a_validation_error(
    local_runtime: LocalRuntime, parameters: dict[str, Any], message: str
) -> None:
    """A request that SageMaker would reject does not reach the container (contract 3.3, 9)."""
    error = invoke_with_error(local_runtime, **parameters)

    assert error["Class"] == "ValidationError"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert message in error["Error"]["Message"]


def test_response_beyond_the_limit_is_an_error(faulty_runtime: LocalRuntime) -> None:
    """A response beyond the limit does not reach the caller (contract 9)."""
    at_limit = invoke(faulty_runtime, b"large 6291456")
    beyond_limit = invoke_with_error(faulty_runtime, b"large 6291457")

    assert len(at_limit["Body"]) == 6 * MIB
    assert "6,291,457 bytes" in beyond_limit["OriginalMessage"]


def test_body_limit_can_be_raised(diamonds: Server, tmp_path: Path) -> None:
    """With --max-body-mib 25 a payload of 20 MiB is accepted."""
    lines = CSV.strip() + "\n"
    body = lines.encode() * (20 * MIB // len(lines))
    options = ("--container", diamonds.url, "--max-body-mib", "25")
    with run_local_runtime(tmp_path, *options) as runtime:
        response = invoke(runtime, body)

    assert response["Body"].count(b"\n") == body.count(b"\n")


def test_plain_http_needs_no_credentials(local_runtime: LocalRuntime, diamonds: Server) -> None:
    """A request without a signature, for example from curl, gets the same response."""
    url = f"{local_runtime.url}/endpoints/local/invocations"
    response = requests.post(url, data=BODY, headers={"Content-Type": "text/csv"}, timeout=60)

    assert response.content == diamonds.post(CSV).content


INCOMPLETE = f"Content-Length: 1000\r\n\r\n{CSV.splitlines()[0]}\n"


@pytest.mark.parametrize(
    "headers_and_body",
    [
        INCOMPLETE,
        INCOMPLETE.replace("1000", "+43"),
        "Transfer-Encoding: chunked\r\n\r\n5\r\n0.56,\r\n",
        "Transfer-Encoding: gzip\r\n\r\nx",
    ],
)
def test_incomplete_body_is_rejected(local_runtime: LocalRuntime, headers_and_body: str) -> None:
    """A body that ends early is a ValidationError (400), and the container is not called."""
    host, port = local_runtime.url.removeprefix("http://").split(":")
    head = (
        f"POST /endpoints/local/invocations HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/csv\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall((head + headers_and_body).encode())
        connection.shutdown(socket.SHUT_WR)
        response = b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()

    assert " 400 " in response.splitlines()[0]
    assert "ValidationError" in response


def test_concurrent_large_bodies(local_runtime: LocalRuntime, diamonds: Server) -> None:
    """Each of many concurrent large requests gets its own complete response."""
    lines = (CSV.strip() + "\n") * 6000
    with ThreadPoolExecutor(12) as threads:
        futures = [threads.submit(invoke, local_runtime, lines.encode()) for _ in range(12)]
    bodies = {future.result()["Body"] for future in futures}

    assert bodies == {diamonds.post(lines).content}


def test_unknown_paths_and_hosts_are_rejected(local_runtime: LocalRuntime) -> None:
    """An unknown path, method or Host header is rejected as SageMaker does, in JSON."""
    unknown = requests.get(f"{local_runtime.url}/ping", timeout=60)
    foreign = requests.post(
        f"{local_runtime.url}/endpoints/local/invocations",
        headers={"Host": "evil.example"},
        data=BODY,
        timeout=60,
    )

    assert unknown.status_code == 404
    assert unknown.headers["x-amzn-ErrorType"] == "UnknownOperationException"
    assert "Message" in unknown.json()
    assert foreign.status_code == 400
    assert foreign.headers["x-amzn-ErrorType"] == "ValidationError"


def run_client(runtime: LocalRuntime, command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=ROOT,
        env=runtime.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_aws_cli(local_runtime: LocalRuntime, diamonds: Server, tmp_path: Path) -> None:
    """The AWS CLI writes the response to its output file, and fails as it does on AWS."""
    aws = str(Path(sys.executable).with_name("aws"))
    command = [aws, "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "local"]
    command += ["--content-type", "text/csv", "--body"]
    invalid_file, output_file = tmp_path / "invalid", tmp_path / "output"
    invalid_file.write_text("1,2\n")
    succeeded = run_client(
        local_runtime,
        [*command, "fileb://local_test/payloads/diamonds.csv", str(output_file)],
    )
    failed = run_client(
        local_runtime, [*command, f"fileb://{invalid_file}", str(tmp_path / "none")]
    )

    assert succeeded.returncode == 0, succeeded.stderr
    assert json.loads(succeeded.stdout)["InvokedProductionVariant"] == "AllTraffic"
    assert output_file.read_bytes() == diamonds.post(CSV).content
    assert failed.returncode == 255
    assert "(ModelError)" in failed.stderr


def test_documented_example(local_runtime: LocalRuntime, diamonds: Server) -> None:
    """The Python example of docs/runtime.md prints predictions for the sample diamonds."""
    example = (
        (ROOT / "docs" / "runtime.md").read_text().partition("```python\n")[2].partition("```")[0]
    )
    outcome = run_client(local_runtime, [sys.executable, "-c", example])

    assert "boto3" in example
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == diamonds.post(CSV, Accept="application/json").text.strip()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({}, 200),
    ],
)
@pytest.mark.parametrize("operation", ["invocations", "invocations-response-stream"])
def test_pages_of_web_sites_are_rejected(
    local_runtime: LocalRuntime, headers: dict[str, str], status: int, operation: str
) -> None:
    """A page in a browser cannot invoke the endpoint, as any web site could otherwise do."""
    response = requests.post(
        f"{local_runtime.url}/endpoints/local/{operation}", BODY, headers=headers, timeout=30
    )

    assert response.status_code == status
    assert (response.headers.get("x-amzn-ErrorType") == "AccessDeniedException") == (status == 403)


def test_pages_of_web_sites_cannot_start_asynchronous_inference(
    local_runtime: LocalRuntime,
) -> None:
    """A request from a page for an asynchronous inference leaves no object behind."""
    response = requests.post(
        f"{local_runtime.url}/endpoints/local/async-invocations",
        headers={
            "X-Amzn-SageMaker-InputLocation": "s3://bucket/input.csv",
            "Origin": "https://elsewhere.example",
        },
        timeout=30,
    )

    assert response.status_code == 403
