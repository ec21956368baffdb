"""An invocation of an asynchronous endpoint, whose payload and reply lie in S3."""

import time

from botocore.exceptions import ClientError

from deploy.actual import ABSENT
from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.config.naming import OWNER_TAG, Parameters, drop_none, payload_key
from deploy.errors import DeployError, error_code
from deploy.execution.waiting import Waiting
from deploy.invoking.payload import Payload


def invoke_asynchronously(
    aws: Aws, configuration: Configuration, payload: Payload, waiting: Waiting
) -> bytes:
    """Upload a payload, wait for its reply, and return it; raises DeployError for a failure, and when none comes in time.

    The payload is removed once it is answered, and else by ``down``; the reply stays where the file says.
    """
    bucket, key, encryption = (
        configuration.model.bucket,
        payload_key(configuration),
        configuration.kms.artifact_key,
    )
    encrypted = drop_none(
        {"ServerSideEncryption": "aws:kms" if encryption else None, "SSEKMSKeyId": encryption}
    )
    aws.call(
        "s3",
        "put_object",
        Bucket=bucket,
        Key=key,
        Body=payload.content,
        Tagging=f"{OWNER_TAG}={configuration.name}",
        **encrypted,
    )
    asked = {
        "EndpointName": configuration.name,
        "InputLocation": f"s3://{bucket}/{key}",
        **payload.parameters,
    }
    answer = aws.call("sagemaker-runtime", "invoke_endpoint_async", **asked)
    reply, failure = _outcome(aws, answer, waiting)
    aws.call("s3", "delete_object", Bucket=bucket, Key=key)
    if failure is not None:
        raise DeployError(f"the container answered: {failure.decode(errors='replace').strip()}")
    return reply or b""


def _outcome(aws: Aws, answer: Parameters, waiting: Waiting) -> tuple[bytes | None, bytes | None]:
    output, deadline = answer["OutputLocation"], time.monotonic() + waiting.reply_seconds
    while True:
        reply = _object_at(aws, output)
        failure = (
            _object_at(aws, answer["FailureLocation"])
            if reply is None and "FailureLocation" in answer
            else None
        )
        if reply is not None or failure is not None:
            return reply, failure
        if time.monotonic() >= deadline:
            break
        waiting.say(f"queued: the reply will be at {output}")
        time.sleep(waiting.poll_seconds)
    told = (
        ""
        if "FailureLocation" in answer
        else ", and compute.asynchronous.failure names no place where an error would be told"
    )
    raise DeployError(
        f"no reply after {waiting.reply_seconds:g} s at {output}{told}: see python -m deploy status and logs"
    )


def _object_at(aws: Aws, location: str) -> bytes | None:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    try:
        content: bytes = aws.call("s3", "get_object", Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error_code(error) in ABSENT:
            return None
        raise
    return content
