"""Waits for an endpoint, and knows success from a rollback that ends in service too."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.deployed import UNDER_WAY
from deploy.failures import DeployError, message_of
from deploy.naming import Parameters

LONGEST_SECONDS = 10 * 3600.0  # an update may take eight hours, and its rollback comes on top
REPLY_SECONDS = 900.0  # from zero an instance takes minutes to come


class RolledBack(DeployError):
    """The update failed, and the endpoint serves what it served before."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait: the seconds between two looks, who hears what was seen, and how long an asynchronous reply may take."""

    poll_seconds: float
    say: Callable[[str], None]
    reply_seconds: float = REPLY_SECONDS


def wait_until_settled(aws: Aws, name: str, waiting: Waiting) -> Parameters:
    """Return how an endpoint is once nothing is under way, empty if it is gone; raises DeployError when it takes too long."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        try:
            endpoint = aws.call("sagemaker", "describe_endpoint", EndpointName=name)
        except ClientError as error:
            if "could not find" in message_of(error).lower():
                return {}
            raise
        waiting.say(_line(name, endpoint))
        if endpoint["EndpointStatus"] not in UNDER_WAY:
            return endpoint
        time.sleep(waiting.poll_seconds)
    raise DeployError(f"the endpoint {name} is not settled after {LONGEST_SECONDS / 3600:.0f} hours: see python -m deploy status")


def wait_for(aws: Aws, name: str, config: str, waiting: Waiting) -> None:
    """Wait until an endpoint serves a configuration; raises RolledBack if it serves another, DeployError if it serves none."""
    endpoint = wait_until_settled(aws, name, waiting)
    status, reason = endpoint.get("EndpointStatus", "gone"), endpoint.get("FailureReason", "AWS gave no reason")
    if status != "InService":
        raise DeployError(f"the endpoint {name} is {status}: {reason}: python -m deploy logs shows what the container said")
    if endpoint["EndpointConfigName"] != config:
        raise RolledBack(
            f"the update was rolled back: {reason}: {name} still serves {endpoint['EndpointConfigName']}, not {config}; "
            "python -m deploy logs shows what the container said"
        )


def _line(name: str, endpoint: Parameters) -> str:
    counts = [
        f"{variant['CurrentInstanceCount']} of {variant.get('DesiredInstanceCount', '?')} instances"
        for variant in endpoint.get("ProductionVariants", [])
        if "CurrentInstanceCount" in variant
    ]
    return ", ".join([f"{name} is {endpoint['EndpointStatus']}", *counts, endpoint["EndpointConfigName"]])
