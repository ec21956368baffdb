"""The bucket of the artifact and its region, and the other buckets, which only AWS knows."""

from typing import Any

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.errors import DeployError, error_code


def verify_bucket(aws: Aws, configuration: Configuration) -> None:
    """Look the bucket up; raises DeployError if it is missing, in another region, or not for who asks.

    Of the others, which SageMaker writes to, whoever deploys may know nothing: they are refused only where they are missing.
    """
    _verify_own(aws, configuration)
    asynchronous, capture = configuration.compute.asynchronous, configuration.capture
    places = {"capture.destination": capture and capture.destination}
    if asynchronous:
        places |= {
            f"compute.asynchronous.{key}": getattr(asynchronous, key)
            for key in ("output", "failure")
        }
    for key, place in places.items():
        bucket = (place or "").removeprefix("s3://").partition("/")[0]
        if bucket and bucket != configuration.model.bucket and _is_missing(aws, bucket):
            raise DeployError(
                f"{key}: {bucket} {WHY['404'].format(bucket=bucket, region=configuration.region)}"
            )


def _is_missing(aws: Aws, bucket: str) -> bool:
    try:
        aws.call("s3", "head_bucket", Bucket=bucket)
    except ClientError as error:
        return error_code(error) == "404"
    return False


def _verify_own(aws: Aws, configuration: Configuration) -> None:
    bucket, region = configuration.model.bucket, configuration.region
    refusal = None
    try:
        answer = aws.call("s3", "head_bucket", Bucket=bucket)
    except ClientError as error:
        refusal, answer = error, error.response
    found = _region_in(answer)
    if found and found != region:
        raise DeployError(
            f"model.bucket: {bucket} is in {found}, and the endpoint in {region}, where alone SageMaker reads: use a bucket there"
        )
    if refusal is not None:
        if (why := WHY.get(error_code(refusal))) is None:
            raise refusal
        raise DeployError(
            f"model.bucket: {bucket} {why.format(bucket=bucket, region=region)}"
        ) from refusal


# A refusal of HeadBucket has no words, only a status.
WHY = {
    "400": "cannot be looked up: the credentials may have expired: aws sts get-caller-identity tells",
    "403": "is somebody else's, or s3:ListBucket is not allowed: python -m deploy iam prints the policy that is needed",
    "404": "is not there: aws s3 mb s3://{bucket} --region {region} makes it",
}


def _region_in(answer: dict[str, Any]) -> str | None:
    """Return where S3 says that the bucket is, which it says even where it refuses."""
    region = answer.get("BucketRegion") or answer.get("ResponseMetadata", {}).get(
        "HTTPHeaders", {}
    ).get("x-amz-bucket-region")
    return str(region) if region else None
