"""InvokeEndpoint, as boto3 and the AWS CLI call it."""

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
from tests.support.local_runtime import Runtime, runtime
from tests.support.server import ROOT, Server, free_port

BODY = CSV.encode()
MIB = 1 << 20


def invoke(local: Runtime, body: bytes = BODY, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = local.client().invoke_endpoint(
        **{"EndpointName": "local", "ContentType": "text/csv", **parameters}, Body=body
    )
    return answer | {"Body": answer["Body"].read()}


def failure(local: Runtime, body: bytes = BODY, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        invoke(local, body, **parameters)
    response: dict[str, Any] = caught.value.response
    return response | {"Class": type(caught.value).__name__}


@pytest.mark.parametrize("accept", ["text/csv", "application/json", "application/jsonlines"])
def test_the_reply_is_the_containers(local: Runtime, diamonds: Server, accept: str) -> None:
    """A caller gets the container's bytes and media type, and the variant's name (contract 3.1, 3.9)."""
    answer = invoke(local, Accept=accept)
    direct = diamonds.post(CSV, Accept=accept)

    assert answer["Body"] == direct.content
    assert answer["ContentType"] == direct.headers["Content-Type"]
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ResponseMetadata"]["RequestId"]


def test_custom_attributes_go_both_ways(local: Runtime) -> None:
    """Custom attributes reach the container, and its own come back (contract 3.7)."""
    assert invoke(local, CustomAttributes="trace=1")["CustomAttributes"] == "trace=1"


def test_only_documented_headers_pass(odd: Runtime) -> None:
    """Of a caller's headers four reach the container, and of the container's four come back (contract 3.2, 3.3, 3.8)."""
    fields = {
        "Accept": "text/csv",
        "CustomAttributes": "a",
        "TargetModel": "m",
        "InferenceId": "i",
        "PrefixAwareId": "p",
    }
    answer = invoke(odd, b"headers", **fields)
    seen = json.loads(answer["Body"])

    documented = {
        "content-type",
        "accept",
        "x-amzn-sagemaker-custom-attributes",
        "x-amzn-sagemaker-target-model",
    }
    assert set(seen) == {"host", "content-length"} | documented
    assert seen["content-type"] == seen["accept"] == "text/csv"
    assert "x-secret" not in answer["ResponseMetadata"]["HTTPHeaders"]


def test_what_the_caller_leaves_out_is_left_out(odd: Runtime) -> None:
    """Without ContentType and Accept the container sees neither (contract 3.5, 3.6)."""
    answer = odd.client().invoke_endpoint(EndpointName="local", Body=b"headers")
    seen = json.loads(answer["Body"].read())

    assert not {"content-type", "accept"} & set(seen)


def test_a_refusal_of_the_container_is_a_model_error(local: Runtime, diamonds: Server) -> None:
    """A 4xx of the container is ModelError 424 with its status and words (contract 3.10)."""
    refused = failure(local, b"1,2\n")
    direct = diamonds.post("1,2\n")

    assert refused["Class"] == "ModelError"
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert refused["OriginalStatusCode"] == direct.status_code == 400
    assert refused["OriginalMessage"] == direct.text.strip()
    assert refused["Error"]["Message"].startswith(
        'Received client error (400) from primary with message "{'
    )
    assert refused["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/local")


def test_a_failure_of_the_container_is_a_model_error(odd: Runtime) -> None:
    """A 5xx says server error, and its words are cut at 2,048 characters (contract 3.10)."""
    refused = failure(odd, b"fail 503 5000")

    assert (refused["Class"], refused["OriginalStatusCode"]) == ("ModelError", 503)
    assert refused["OriginalMessage"] == "x" * 2048
    assert "Received server error (503)" in refused["Error"]["Message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"sleep 3", "timed out"),
        (b"fail 302 2", "xx"),
        (b"drop", "closed the connection"),
        (b"chunks break", "broke off"),
    ],
)
def test_a_container_that_does_not_answer_is_a_model_error(
    odd: Runtime, body: bytes, words: str
) -> None:
    """A container that is late, says nothing, or breaks off is ModelError (contract 3.11)."""
    refused = failure(odd, body)

    assert refused["Class"] == "ModelError"
    assert words in refused["OriginalMessage"]


def test_no_container_is_service_unavailable(tmp_path: Path) -> None:
    """Where no container listens the service is unavailable, which clients try again (contract 3.12)."""
    with runtime(tmp_path, "--container", f"http://127.0.0.1:{free_port()}") as nothing:
        assert failure(nothing)["Class"] == "ServiceUnavailable"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"EndpointName": "other"}, "Endpoint other of account 000000000000 not found"),
        ({"TargetVariant": "blue"}, "Variant blue is not one of this endpoint's: AllTraffic"),
        (
            {"InferenceComponentName": "c"},
            "InferenceComponentName: this local runtime has no such thing",
        ),
        ({"InferenceId": "i" * 65}, "InferenceId: 65 characters"),
        ({"SessionId": "-"}, "SessionId: '-' does not match"),
        (
            {"body": b"x" * (6 * MIB + 1)},
            "Body: 6,291,457 bytes, where this operation takes 6,291,456",
        ),
    ],
)
def test_what_the_api_does_not_take_is_a_validation_error(
    local: Runtime, parameters: dict[str, Any], words: str
) -> None:
    """What the service would refuse never reaches the container (contract 3.3, 9)."""
    refused = failure(local, **parameters)

    assert refused["Class"] == "ValidationError"
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert words in refused["Error"]["Message"]


def test_a_long_reply_is_refused(odd: Runtime) -> None:
    """A reply beyond the limit does not reach the caller either (contract 9)."""
    assert len(invoke(odd, b"large 6291456")["Body"]) == 6 * MIB
    assert "6,291,457 bytes" in failure(odd, b"large 6291457")["OriginalMessage"]


def test_the_limit_is_a_setting(diamonds: Server, tmp_path: Path) -> None:
    """With --max-body-mib 25 a payload of 20 MiB goes through."""
    lines = CSV.strip() + "\n"
    body = lines.encode() * (20 * MIB // len(lines))
    with runtime(tmp_path, "--container", diamonds.url, "--max-body-mib", "25") as large:
        answer = invoke(large, body)

    assert answer["Body"].count(b"\n") == body.count(b"\n")


def test_plain_http_needs_no_credentials(local: Runtime, diamonds: Server) -> None:
    """Curl gets the same without a signature."""
    url = f"{local.url}/endpoints/local/invocations"
    reply = requests.post(url, data=BODY, headers={"Content-Type": "text/csv"}, timeout=60)

    assert reply.content == diamonds.post(CSV).content


CUT = f"Content-Length: 1000\r\n\r\n{CSV.splitlines()[0]}\n"


@pytest.mark.parametrize(
    "rest",
    [
        CUT,
        CUT.replace("1000", "+43"),
        "Transfer-Encoding: chunked\r\n\r\n5\r\n0.56,\r\n",
        "Transfer-Encoding: gzip\r\n\r\nx",
    ],
)
def test_a_body_that_is_not_whole_is_not_computed(local: Runtime, rest: str) -> None:
    """What came of a body that was cut off is no request: 400, and the container is not called."""
    host, port = local.url.removeprefix("http://").split(":")
    head = (
        f"POST /endpoints/local/invocations HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/csv\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall((head + rest).encode())
        connection.shutdown(socket.SHUT_WR)
        reply = b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()

    assert " 400 " in reply.splitlines()[0]
    assert "ValidationError" in reply


def test_large_bodies_at_once(local: Runtime, diamonds: Server) -> None:
    """Many large bodies at once are slow, and each gets its own whole reply."""
    lines = (CSV.strip() + "\n") * 6000
    with ThreadPoolExecutor(12) as threads:
        replies = list(threads.map(lambda _: invoke(local, lines.encode())["Body"], range(12)))

    assert set(replies) == {diamonds.post(lines).content}


def test_what_is_no_operation(local: Runtime) -> None:
    """Another path, method or host is refused as the service does, in JSON."""
    unknown = requests.get(f"{local.url}/ping", timeout=60)
    foreign = requests.post(
        f"{local.url}/endpoints/local/invocations",
        headers={"Host": "evil.example"},
        data=BODY,
        timeout=60,
    )

    assert (unknown.status_code, unknown.headers["x-amzn-ErrorType"]) == (
        404,
        "UnknownOperationException",
    )
    assert (foreign.status_code, foreign.headers["x-amzn-ErrorType"]) == (400, "ValidationError")
    assert "Message" in unknown.json()


def aws(local: Runtime, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("aws")), "sagemaker-runtime", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=local.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_aws_cli(local: Runtime, diamonds: Server, tmp_path: Path) -> None:
    """The AWS CLI writes the reply into its file, and fails as it does on AWS."""
    words = ["invoke-endpoint", "--endpoint-name", "local", "--content-type", "text/csv", "--body"]
    good = aws(local, *words, "fileb://local_test/payloads/diamonds.csv", str(tmp_path / "out"))
    (tmp_path / "bad").write_text("1,2\n")
    bad = aws(local, *words, f"fileb://{tmp_path / 'bad'}", str(tmp_path / "none"))

    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["InvokedProductionVariant"] == "AllTraffic"
    assert (tmp_path / "out").read_bytes() == diamonds.post(CSV).content
    assert bad.returncode == 255
    assert "(ModelError)" in bad.stderr


def test_the_readmes_snippet(local: Runtime, diamonds: Server) -> None:
    """The README's Python lines print predictions of the sample diamonds from the runtime."""
    snippet = (ROOT / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    outcome = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=ROOT,
        env=local.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "boto3" in snippet
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == diamonds.post(CSV, Accept="application/json").text.strip()
