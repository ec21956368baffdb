"""The forms of what AWS names, as far as the file may say them: nothing that a policy would read as a wildcard or a variable."""

from typing import Any

_BUCKET = r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]"
_KEY_SEGMENT = r"(?!\.\.?(/|$))[A-Za-z0-9!_.'()=@+,:-]+"
_KEY = rf"{_KEY_SEGMENT}(/{_KEY_SEGMENT})*/?"


def _pattern(pattern: str, expected: str) -> dict[str, Any]:
    return {"pattern": pattern, "expected": expected}


ENDPOINT_NAME = _pattern(
    r"[A-Za-z0-9](-*[A-Za-z0-9]){0,39}", "letters, digits and hyphens between, 40 at most"
)
VERSION = _pattern(
    r"[A-Za-z0-9][A-Za-z0-9.-]{0,11}", "letters, digits, dots and hyphens, 12 at most"
)
REGION = _pattern(r"[a-z]{2}(-[a-z]+)+-\d", "a region such as eu-central-1")
ROLE_ARN = _pattern(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", "arn:aws:iam::ACCOUNT:role/NAME"
)
IMAGE_URI = _pattern(
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9][a-z0-9._/-]*@sha256:[0-9a-f]{64}",
    "ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:DIGEST, which make push prints",
)
INSTANCE_TYPE = _pattern(
    r"ml\.[a-z0-9-]{1,30}\.[a-z0-9-]{1,30}", "a type of SageMaker's, such as ml.c6i.large"
)
BUCKET_NAME = _pattern(_BUCKET, "the bucket's name alone, without s3:// and without a prefix")
KEY_PREFIX = _pattern(
    rf"(?=.{{1,700}}$){_KEY}",
    "at most 700 characters, such as models/prices: without a slash at its beginning, without .. and without * ? $",
)
S3_URI = _pattern(rf"s3://{_BUCKET}(/({_KEY})?)?", "s3://BUCKET/PREFIX, without * ? $")
TOPIC_ARN = _pattern(
    r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}", "arn:aws:sns:REGION:ACCOUNT:NAME"
)
ALARM_NAME = _pattern(r"[^*?$\x00-\x1f]{1,255}", "an alarm's name, without * ? $")
# An alias or a bare id is no resource of a policy, which allows a key and not what it is called.
KMS_KEY_ARN = _pattern(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+",
    "arn:aws:kms:REGION:ACCOUNT:key/ID, which aws kms describe-key --key-id KEY prints for an alias or an id",
)
