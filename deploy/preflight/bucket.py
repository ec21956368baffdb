"""Checks that the S3 buckets exist, and that the artifact's is in the endpoint's Region."""

from typing import Any

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.errors import DeployError, error_code

# HeadBucket's errors have a status, but no message.
CAUSES = {
    "400": "HeadBucket failed with status 400; the credentials may have expired: "
    "check with aws sts get-caller-identity",
    "403": "access denied: the bucket belongs to another account, or s3:ListBucket is not "
    "allowed; python -m deploy iam prints the required policy",
    "404": "bucket does not exist; create it with aws s3 mb s3://{bucket} --region {region}",
}


def verify_bucket(aws: Aws, configuration: Configuration) -> None:
    """Look up all buckets with HeadBucket.

    The deployer needs no access to the buckets that SageMaker writes to, so those are rejected
    only if they do not exist.

    Raises:
        DeployError: a bucket does not exist, or the artifact's is in another Region or not
            accessible.
        ClientError: S3 is unavailable.
    """
    _verify_artifact_bucket(aws, configuration)
    for key, uri in _output_uris(configuration).items():
        bucket = uri.removeprefix("s3://").partition("/")[0]
        if bucket != configuration.model.bucket and _is_missing(aws, bucket):
            cause = CAUSES["404"].format(bucket=bucket, region=configuration.region)
            raise DeployError(f'{key}: "{bucket}": {cause}')


def _verify_artifact_bucket(aws: Aws, configuration: Configuration) -> None:
    bucket, region = configuration.model.bucket, configuration.region
    failure = None
    try:
        response = aws.call("s3", "head_bucket", Bucket=bucket)
    except ClientError as error:
        failure, response = error, error.response
    bucket_region = _find_region(response)
    if bucket_region and bucket_region != region:
        raise DeployError(
            f'model.bucket: expected a bucket in {region}, the endpoint\'s Region; "{bucket}" '
            f"is in {bucket_region}"
        )
    if failure is None:
        return
    if (cause := CAUSES.get(error_code(failure))) is None:
        raise failure
    cause = cause.format(bucket=bucket, region=region)
    raise DeployError(f'model.bucket: "{bucket}": {cause}') from failure


def _find_region(response: dict[str, Any]) -> str | None:
    """Return the bucket's Region, which S3 reports even in an error response."""
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = response.get("BucketRegion") or headers.get("x-amz-bucket-region")
    return str(region) if region else None


def _output_uris(configuration: Configuration) -> dict[str, str]:
    """Return the S3 URIs that SageMaker writes to, by key."""
    asynchronous, capture = configuration.compute.asynchronous, configuration.capture
    uris = {}
    if capture:
        uris["capture.destination"] = capture.destination
    if asynchronous:
        uris["compute.asynchronous.output"] = asynchronous.output
        if asynchronous.failure:
            uris["compute.asynchronous.failure"] = asynchronous.failure
    return uris


def _is_missing(aws: Aws, bucket: str) -> bool:
    try:
        aws.call("s3", "head_bucket", Bucket=bucket)
    except ClientError as error:
        return error_code(error) == "404"
    return False
