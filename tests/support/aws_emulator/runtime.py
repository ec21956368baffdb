"""Emulates the SageMaker runtime: forwards real-time and asynchronous invocations to a server."""

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
OK = 200
OUTPUT_HEADER = "X-Amzn-SageMaker-OutputLocation"
FAILURE_HEADER = "X-Amzn-SageMaker-FailureLocation"

Response = tuple[str, dict[str, str], bytes]  # status line, headers, body


def respond(container_url: str | None, environ: Environ) -> Response:
    """Respond to an invocation; like AWS, reject unknown endpoints and the wrong API."""
    name, kind = environ["PATH_INFO"].split("/")[2:4]
    backend = sagemaker_backends[ACCOUNT][REGION]
    if name not in backend.endpoints or container_url is None:
        return _validation_error(f"Endpoint {name} of account {ACCOUNT} not found.")
    config = backend.endpoint_configs[backend.endpoints[name].endpoint_config_name]
    if bool(config.async_inference_config) != (kind == "async-invocations"):
        return _validation_error(
            f"Endpoint {name} of account {ACCOUNT} does not support this inference type."
        )
    if kind == "async-invocations":
        return _invoke_async(container_url, config.async_inference_config["OutputConfig"], environ)
    return _invoke(container_url, environ)


def _invoke(container_url: str, environ: Environ) -> Response:
    accept, content_type = environ.get("HTTP_ACCEPT", "*/*"), environ.get("CONTENT_TYPE", "")
    status, body = _post(container_url, environ["wsgi.input"].read(), content_type, accept)
    if status == OK:
        headers = {"Content-Type": accept, "x-Amzn-Invoked-Production-Variant": "AllTraffic"}
        return "200 OK", headers, body
    error = {
        "Message": body.decode(),
        "OriginalStatusCode": status,
        "OriginalMessage": body.decode(),
    }
    return "424 Failed Dependency", {"x-amzn-ErrorType": "ModelError"}, json.dumps(error).encode()


def _invoke_async(container_url: str, output_config: dict[str, Any], environ: Environ) -> Response:
    """Invoke the container at once: its response is in S3 before this one is sent."""
    s3, inference_id = s3_backends[ACCOUNT]["aws"], str(uuid.uuid4())
    bucket, key = _split_uri(environ["HTTP_X_AMZN_SAGEMAKER_INPUTLOCATION"])
    content_type = environ.get("HTTP_X_AMZN_SAGEMAKER_CONTENT_TYPE", "")
    accept = environ.get("HTTP_X_AMZN_SAGEMAKER_ACCEPT", "") or "*/*"
    try:
        payload = s3.get_object(bucket, key).value
    except (MissingKey, AttributeError):
        return _validation_error(f"Object s3://{bucket}/{key} does not exist.")
    status, body = _post(container_url, payload, content_type, accept)
    headers = {OUTPUT_HEADER: f"{output_config['S3OutputPath']}/{inference_id}.out"}
    if "S3FailurePath" in output_config:
        failure_uri = f"{output_config['S3FailurePath']}/{inference_id}-error.out"
        headers[FAILURE_HEADER] = failure_uri
    if status == OK:
        s3.put_object(*_split_uri(headers[OUTPUT_HEADER]), body)
    elif FAILURE_HEADER in headers:
        message = f"Received client error ({status}) from primary with message ".encode()
        s3.put_object(*_split_uri(headers[FAILURE_HEADER]), message + body)
    return "202 Accepted", headers, json.dumps({"InferenceId": inference_id}).encode()


def _post(container_url: str, payload: bytes, content_type: str, accept: str) -> tuple[int, bytes]:
    headers = {"Content-Type": content_type, "Accept": accept}
    request = urllib.request.Request(f"{container_url}/invocations", payload, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except HTTPError as error:
        return error.code, error.read()


def _split_uri(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _validation_error(message: str) -> Response:
    headers = {"x-amzn-ErrorType": "ValidationError"}
    return "400 Bad Request", headers, json.dumps({"Message": message}).encode()
