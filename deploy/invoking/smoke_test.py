"""Smoke test: compares the endpoint's response to the sample payload with the local server's."""

import math
import re

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.desired.artifact import Artifact
from deploy.errors import DeployError, summarize_error
from deploy.execution.waiting import WaitOptions
from deploy.invoking.invoke import invoke
from deploy.invoking.payload import Payload, guess_media_type

# CPUs and C libraries differ in how they round the last bits.
RELATIVE_TOLERANCE = 1e-5
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def smoke_test(
    aws: Aws,
    configuration: Configuration,
    artifact: Artifact,
    options: WaitOptions,
    previous_config: str | None,
) -> str:
    """Invoke the endpoint with the sample payload, and return a line about the outcome.

    Raises:
        DeployError: the invocation failed, or the response differs from the local server's. The
            message says how to roll back to ``previous_config``, if there is one.
    """
    try:
        return _compare(aws, configuration, artifact, options)
    except (DeployError, BotoCoreError, ClientError) as error:
        cause = str(error)
        if not isinstance(error, DeployError):
            cause = summarize_error(error, configuration.region)
        fix = "remove it with python -m deploy down, or fix the cause and run up again"
        if previous_config:
            fix = f"python -m deploy rollback returns to {previous_config}"
        raise DeployError(
            f"smoke test failed, but the new config is in service: {cause}; {fix}"
        ) from error


def _compare(
    aws: Aws, configuration: Configuration, artifact: Artifact, options: WaitOptions
) -> str:
    sample = configuration.data_format.sample
    if sample is None:
        return "smoke test skipped: data_format.sample is not set"
    media_type = guess_media_type(sample)
    payload = Payload(sample.read_bytes(), media_type, media_type)
    response = invoke(aws, configuration, payload, options).decode()
    local_response = artifact.sample_response or ""
    expected, found = _find_numbers(local_response), _find_numbers(response)
    if not _are_close(expected, found):
        raise DeployError(
            f"expected the local server's response {local_response[:60]!r}, "
            f"got {response[:60]!r}; "
            "check that the image was built from this version, and check data_format.environment"
        )
    return f"smoke test passed: all {len(found)} numbers for {sample.name} match the local server's"


def _find_numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


def _are_close(expected: list[float], found: list[float]) -> bool:
    if len(expected) != len(found):
        return False
    pairs = zip(expected, found, strict=True)
    return all(math.isclose(*pair, rel_tol=RELATIVE_TOLERANCE) for pair in pairs)
