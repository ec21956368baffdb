"""A first prediction: whether the endpoint answers the sample as this machine's server does."""

import math
import re

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.desired.artifact import Artifact
from deploy.errors import DeployError, summarize_error
from deploy.execution.waiting import Waiting
from deploy.invoking.invoke import invoke
from deploy.invoking.payload import Payload, guess_media_type

# Other processors and versions of the C library round the last bits otherwise.
RELATIVE_DIFFERENCE = 1e-5


def smoke_test(
    aws: Aws, configuration: Configuration, artifact: Artifact, waiting: Waiting, before: str | None
) -> str:
    """Send the sample, compare the reply with this machine's, and return a line about it; raises DeployError.

    The message names the way back to the config ``before``, if there was one.
    """
    try:
        return _compared(aws, configuration, artifact, waiting)
    except (DeployError, BotoCoreError, ClientError) as error:
        said = (
            str(error)
            if isinstance(error, DeployError)
            else summarize_error(error, configuration.region)
        )
        back = (
            f"rollback goes back to {before}"
            if before
            else "down removes it, or up again once it is mended"
        )
        raise DeployError(
            f"the smoke test failed, and the endpoint serves what failed: {said}: python -m deploy {back}"
        ) from error


def _compared(aws: Aws, configuration: Configuration, artifact: Artifact, waiting: Waiting) -> str:
    sample = configuration.data_format.sample
    if sample is None:
        return "not smoke-tested: data_format.sample names no payload"
    media_type = guess_media_type(sample)
    reply = invoke(
        aws, configuration, Payload(sample.read_bytes(), media_type, media_type), waiting
    ).decode()
    expected, found = _numbers(artifact.sample_response or ""), _numbers(reply)
    close = [
        math.isclose(one, other, rel_tol=RELATIVE_DIFFERENCE)
        for one, other in zip(expected, found, strict=False)
    ]
    if len(expected) != len(found) or not all(close):
        raise DeployError(
            f"{configuration.name} answers, but not as the artifact does here: expected {(artifact.sample_response or '')[:60]!r}, "
            f"got {reply[:60]!r}: is the image of this version, and data_format.environment the same?"
        )
    return f"smoke-tested: the {len(found)} numbers of the reply to {sample.name} are those of the artifact here"


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", text)]
