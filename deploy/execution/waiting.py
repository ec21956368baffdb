"""Waits for an endpoint, and knows success from a rollback that ends in service too."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from deploy.actual import UNDER_WAY
from deploy.aws import Aws
from deploy.config.naming import Parameters
from deploy.errors import DeployError, error_message

LONGEST_SECONDS = 10 * 3600.0  # an update may take eight hours, and its rollback comes on top
LOGS = "python -m deploy logs shows what the container said"
STALE_LOOKS = 4  # so long what AWS tells just after a change may be of before it
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
    return next(
        endpoint
        for endpoint in _looks(aws, name, waiting)
        if endpoint.get("EndpointStatus") not in UNDER_WAY
    )


def wait_until_gone(aws: Aws, name: str, waiting: Waiting) -> None:
    """Wait until an endpoint that was removed is not there any more; raises DeployError if it stays."""
    endpoint = _outcome(aws, name, waiting, lambda endpoint: not endpoint)
    if endpoint:
        how = f"it is {endpoint['EndpointStatus']}, without scaling and alarms: {_reason(endpoint)}"
        raise DeployError(
            f"the endpoint {name} was not removed: {how}: python -m deploy down tries again, up puts them on"
        )


def wait_for(aws: Aws, name: str, config: str, waiting: Waiting) -> None:
    """Wait until an endpoint serves a configuration; raises RolledBack if it serves another, DeployError if it serves none."""

    def serves(endpoint: Parameters) -> bool:
        return endpoint.get("EndpointStatus") == "InService" and bool(
            endpoint["EndpointConfigName"] == config
        )

    endpoint = _outcome(aws, name, waiting, serves)
    status = endpoint.get("EndpointStatus", "gone")
    if status == "UpdateRollbackFailed":
        raise DeployError(
            f"the update failed, and so did its rollback: {_reason(endpoint)}: {name} serves, perhaps with both configurations: "
            "python -m deploy rollback or up makes it one; down, then up, is the last way, with a gap"
        )
    if status != "InService":
        raise DeployError(f"the endpoint {name} is {status}: {_reason(endpoint)}: {LOGS}")
    if not serves(endpoint):
        serving = f"serves {endpoint['EndpointConfigName']}, not {config}"
        if "FailureReason" not in endpoint:
            raise RolledBack(
                f"another update took over, or AWS rolled this one back without a reason: {name} {serving}; {LOGS}"
            )
        raise RolledBack(
            f"the update was rolled back: {_reason(endpoint)}: {name} still {serving}; {LOGS}"
        )


def _outcome(
    aws: Aws, name: str, waiting: Waiting, is_success: Callable[[Parameters], bool]
) -> Parameters:
    # Just after a change AWS may still tell how it was before: nothing but success is believed at once.
    was_under_way, doubts = False, STALE_LOOKS
    for endpoint in _looks(aws, name, waiting):
        if endpoint.get("EndpointStatus") in UNDER_WAY:
            was_under_way = True
            continue
        doubts -= 1
        if was_under_way or doubts == 0 or is_success(endpoint):
            return endpoint
    raise AssertionError  # looks end by an error only


def _looks(aws: Aws, name: str, waiting: Waiting) -> Iterator[Parameters]:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        try:
            endpoint = aws.call("sagemaker", "describe_endpoint", EndpointName=name)
            waiting.say(_line(name, endpoint))
        except ClientError as error:
            if "could not find" not in error_message(error).lower():
                raise
            endpoint = {}
        yield endpoint
        time.sleep(waiting.poll_seconds)
    raise DeployError(
        f"the endpoint {name} is not settled after {LONGEST_SECONDS / 3600:.0f} hours: see python -m deploy status"
    )


def _reason(endpoint: Parameters) -> str:
    return str(endpoint.get("FailureReason", "AWS gave no reason"))


def _line(name: str, endpoint: Parameters) -> str:
    counts = [
        f"{variant['CurrentInstanceCount']} of {variant.get('DesiredInstanceCount', '?')} instances"
        for variant in endpoint.get("ProductionVariants", [])
        if "CurrentInstanceCount" in variant
    ]
    return ", ".join(
        [f"{name} is {endpoint['EndpointStatus']}", *counts, endpoint["EndpointConfigName"]]
    )
