"""A first prediction: whether the endpoint answers the sample as this machine's server does."""

import math
import re
from pathlib import Path
from typing import Any

from deploy.artefact import Artefact
from deploy.aws import Aws
from deploy.configuration import Configuration
from deploy.failures import DeployError
from serve.media_types import CSV, JSON, JSON_LINES

MEDIA_TYPES = {".csv": CSV, ".json": JSON, ".jsonl": JSON_LINES}
# Other processors and versions of the C library round the last bits otherwise.
RELATIVE_DIFFERENCE = 1e-5


def invoke(aws: Aws, name: str, payload: bytes, content_type: str, accept: str | None = None) -> dict[str, Any]:
    """Send a payload to an endpoint, and return its answer with the whole body under ``Body``; raises botocore's errors."""
    asked = {"Accept": accept} if accept else {}
    answer = aws.call("sagemaker-runtime", "invoke_endpoint", EndpointName=name, Body=payload, ContentType=content_type, **asked)
    return answer | {"Body": answer["Body"].read()}


def media_type_of(path: Path) -> str:
    """Return the media type that a payload's name tells; raises DeployError."""
    if path.suffix not in MEDIA_TYPES:
        raise DeployError(f"{path}: expected a name that ends in {', '.join(MEDIA_TYPES)}, or --content-type")
    return MEDIA_TYPES[path.suffix]


def smoke_test(aws: Aws, configuration: Configuration, artefact: Artefact) -> str:
    """Send the sample, compare the reply with this machine's, and return a line about it; raises DeployError."""
    sample = configuration.data_format.sample
    if sample is None:
        return "not smoke-tested: data_format.sample names no payload"
    if configuration.compute.asynchronous:
        return "not smoke-tested: an asynchronous endpoint takes its payloads from S3"
    media_type = media_type_of(sample)
    reply = invoke(aws, configuration.name, sample.read_bytes(), media_type, media_type)["Body"].decode()
    expected, found = _numbers(artefact.sample_reply or ""), _numbers(reply)
    close = [math.isclose(one, other, rel_tol=RELATIVE_DIFFERENCE) for one, other in zip(expected, found, strict=False)]
    if len(expected) != len(found) or not all(close):
        raise DeployError(
            f"{configuration.name} answers, but not as the artefact does here: expected {(artefact.sample_reply or '')[:60]!r}, "
            f"got {reply[:60]!r}: is the image of this version, and data_format.environment the same?"
        )
    return f"smoke-tested: the {len(found)} numbers of the reply to {sample.name} are those of the artefact here"


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", text)]
