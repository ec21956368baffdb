"""Invokes an asynchronous endpoint: uploads the payload to S3, and polls S3 for the response."""

import time

from botocore.exceptions import ClientError

from deploy.actual.lookup import NOT_FOUND_CODES
from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.naming import OWNER_TAG, Parameters, drop_none, payload_key
from deploy.errors import DeployError, error_code
from deploy.execution.waiting import WaitOptions
from deploy.invoking.payload import Payload


def invoke_asynchronously(
    aws: Aws, configuration: Configuration, payload: Payload, options: WaitOptions
) -> bytes:
    """Upload a payload, wait for the response, and return it.

    The payload is deleted when the response has arrived, otherwise by ``down``. The response
    remains at ``compute.asynchronous.output``.

    Raises:
        DeployError: the invocation failed, or no response arrived within the timeout.
    """
    bucket, key = configuration.model.bucket, payload_key(configuration)
    _upload(aws, configuration, key, payload)
    invocation = aws.call(
        "sagemaker-runtime",
        "invoke_endpoint_async",
        EndpointName=configuration.name,
        InputLocation=f"s3://{bucket}/{key}",
        **payload.parameters,
    )
    response, failure = _wait(aws, invocation, options)
    aws.call("s3", "delete_object", Bucket=bucket, Key=key)
    if failure is not None:
        message = failure.decode(errors="replace").strip()
        raise DeployError(f"the invocation failed: {message}")
    return response or b""


def _upload(aws: Aws, configuration: Configuration, key: str, payload: Payload) -> None:
    kms_key = configuration.kms.artifact_key
    encryption = drop_none(
        {"ServerSideEncryption": "aws:kms" if kms_key else None, "SSEKMSKeyId": kms_key}
    )
    aws.call(
        "s3",
        "put_object",
        Bucket=configuration.model.bucket,
        Key=key,
        Body=payload.content,
        Tagging=f"{OWNER_TAG}={configuration.name}",
        **encryption,
    )


def _wait(
    aws: Aws, invocation: Parameters, options: WaitOptions
) -> tuple[bytes | None, bytes | None]:
    """Poll until either the response or the error message exists, and return both."""
    output_uri, failure_uri = invocation["OutputLocation"], invocation.get("FailureLocation")
    deadline = time.monotonic() + options.response_timeout_seconds
    while True:
        response, failure = _download(aws, output_uri), None
        if response is None and failure_uri:
            failure = _download(aws, failure_uri)
        if response is not None or failure is not None:
            return response, failure
        if time.monotonic() >= deadline:
            break
        options.report(f"queued; waiting for the response at {output_uri}")
        time.sleep(options.poll_seconds)
    hint = "" if failure_uri else "; to see errors, set compute.asynchronous.failure"
    raise DeployError(
        f"no response after {options.response_timeout_seconds:g} s at {output_uri}{hint}; "
        "see python -m deploy status and python -m deploy logs"
    )


def _download(aws: Aws, uri: str) -> bytes | None:
    """Return an S3 object's content; None if it does not exist."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        content: bytes = aws.call("s3", "get_object", Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error_code(error) in NOT_FOUND_CODES:
            return None
        raise
    return content
