"""The runtime of the stand-in: invocations, which a container's server answers, at once or by way of S3."""

import json
import urllib.request
import uuid
from typing import Any
from urllib.error import HTTPError

from moto.s3.exceptions import MissingKey
from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends

from tests.support.aws_emulator.recorder import Environ

ACCOUNT, REGION = "123456789012", "eu-central-1"

Answer = tuple[str, dict[str, str], bytes]


def answer(container_url: str | None, environ: Environ) -> Answer:
    """Answer an invocation as AWS does: also with a refusal of an unknown endpoint, and of the other kind of invocation."""
    name, kind = environ["PATH_INFO"].split("/")[2:4]
    backend = sagemaker_backends[ACCOUNT][REGION]
    if name not in backend.endpoints or container_url is None:
        return _refusal(f"Endpoint {name} of account {ACCOUNT} not found.")
    config = backend.endpoint_configs[backend.endpoints[name].endpoint_config_name]
    if bool(config.async_inference_config) != (kind == "async-invocations"):
        return _refusal(
            f"Endpoint {name} of account {ACCOUNT} does not support this inference type."
        )
    if kind == "async-invocations":
        return _queue(container_url, config.async_inference_config["OutputConfig"], environ)
    accept = environ.get("HTTP_ACCEPT", "*/*")
    status, reply = _post(
        container_url, environ["wsgi.input"].read(), environ.get("CONTENT_TYPE", ""), accept
    )
    if status == 200:
        return (
            "200 OK",
            {"Content-Type": accept, "x-Amzn-Invoked-Production-Variant": "AllTraffic"},
            reply,
        )
    said = {
        "Message": reply.decode(),
        "OriginalStatusCode": status,
        "OriginalMessage": reply.decode(),
    }
    return "424 Failed Dependency", {"x-amzn-ErrorType": "ModelError"}, json.dumps(said).encode()


def _queue(container_url: str, places: dict[str, Any], environ: Environ) -> Answer:
    # The queue is empty in no time: reply or failure are there before the answer is.
    s3, number = s3_backends[ACCOUNT]["aws"], uuid.uuid4()
    bucket, key = _bucket_and_key(environ["HTTP_X_AMZN_SAGEMAKER_INPUTLOCATION"])
    media_type, accept = (
        environ.get(f"HTTP_X_AMZN_SAGEMAKER_{name}", "") for name in ("CONTENT_TYPE", "ACCEPT")
    )
    try:
        payload = s3.get_object(bucket, key).value
    except (MissingKey, AttributeError):
        return _refusal(f"Object s3://{bucket}/{key} does not exist.")
    status, reply = _post(container_url, payload, media_type, accept or "*/*")
    headers = {"X-Amzn-SageMaker-OutputLocation": f"{places['S3OutputPath']}/{number}.out"}
    if "S3FailurePath" in places:
        headers["X-Amzn-SageMaker-FailureLocation"] = (
            f"{places['S3FailurePath']}/{number}-error.out"
        )
    place = headers.get(
        "X-Amzn-SageMaker-OutputLocation" if status == 200 else "X-Amzn-SageMaker-FailureLocation"
    )
    if place:
        said = (
            b""
            if status == 200
            else f"Received client error ({status}) from primary with message ".encode()
        )
        s3.put_object(*_bucket_and_key(place), said + reply)
    return "202 Accepted", headers, json.dumps({"InferenceId": str(number)}).encode()


def _post(container_url: str, payload: bytes, media_type: str, accept: str) -> tuple[int, bytes]:
    request = urllib.request.Request(
        f"{container_url}/invocations", payload, {"Content-Type": media_type, "Accept": accept}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read()
    except HTTPError as error:
        return error.code, error.read()


def _bucket_and_key(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def _refusal(message: str) -> Answer:
    return (
        "400 Bad Request",
        {"x-amzn-ErrorType": "ValidationError"},
        json.dumps({"Message": message}).encode(),
    )
