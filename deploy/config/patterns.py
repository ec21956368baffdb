"""Regular expressions for AWS names, ARNs and URIs.

Names may end up in IAM policies, so none of them may contain a wildcard or a policy variable.
"""

from typing import Any

_BUCKET = r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]"
_KEY_SEGMENT = r"(?!\.\.?(/|$))[A-Za-z0-9!_.'()=@+,:-]+"
_KEY = rf"{_KEY_SEGMENT}(/{_KEY_SEGMENT})*/?"


def _pattern(pattern: str, expected: str) -> dict[str, Any]:
    return {"pattern": pattern, "expected": expected}


ENDPOINT_NAME = _pattern(
    r"[A-Za-z0-9](-*[A-Za-z0-9]){0,39}",
    "at most 40 letters, digits and hyphens, with no hyphen at either end",
)
VERSION = _pattern(
    r"[A-Za-z0-9][A-Za-z0-9.-]{0,11}", "at most 12 letters, digits, dots and hyphens"
)
REGION = _pattern(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS Region such as eu-central-1")
ROLE_ARN = _pattern(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", "arn:aws:iam::ACCOUNT:role/NAME"
)
IMAGE_URI = _pattern(
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/"
    r"[a-z0-9][a-z0-9._/-]*@sha256:[0-9a-f]{64}",
    "ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:DIGEST, as printed by make push",
)
INSTANCE_TYPE = _pattern(
    r"ml\.[a-z0-9-]{1,30}\.[a-z0-9-]{1,30}", "an ML instance type such as ml.c6i.large"
)
BUCKET_NAME = _pattern(_BUCKET, "a bucket name, without s3:// and without a prefix")
KEY_PREFIX = _pattern(
    rf"(?=.{{1,700}}$){_KEY}",
    "at most 700 characters such as models/prices, without a leading slash, .. or * ? $",
)
S3_URI = _pattern(rf"s3://{_BUCKET}(/({_KEY})?)?", "s3://BUCKET/PREFIX, without * ? $")
TOPIC_ARN = _pattern(
    r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}", "arn:aws:sns:REGION:ACCOUNT:NAME"
)
ALARM_NAME = _pattern(r"[^*?$\x00-\x1f]{1,255}", "an alarm name, without * ? $")
# A policy's Resource can be a key's ARN, but neither its alias nor its bare ID.
KMS_KEY_ARN = _pattern(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+",
    "arn:aws:kms:REGION:ACCOUNT:key/ID; look up the ARN of an alias or ID with "
    "aws kms describe-key --key-id ALIAS_OR_ID",
)
