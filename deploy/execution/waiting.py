"""Polls an endpoint until a change has finished, and detects updates that AWS rolled back."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from deploy.actual.lookup import has_not_found_message
from deploy.actual.state import IN_PROGRESS_STATUSES
from deploy.aws import Aws
from deploy.config.naming import Parameters
from deploy.errors import DeployError

TIMEOUT_SECONDS = 10 * 3600.0  # an update may take eight hours, and its rollback comes on top
MAX_STALE_READS = 4  # DescribeEndpoint is eventually consistent just after a change
RESPONSE_TIMEOUT_SECONDS = 900.0  # from zero, the first instance takes minutes to start
SEE_LOGS = "see python -m deploy logs"


class RolledBack(DeployError):
    """The update failed, and the endpoint still runs its previous endpoint config."""


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """How often to poll, where to report progress, and how long to wait for async responses."""

    poll_seconds: float
    report: Callable[[str], None]
    response_timeout_seconds: float = RESPONSE_TIMEOUT_SECONDS


def wait_until_settled(aws: Aws, name: str, options: WaitOptions) -> None:
    """Wait until no change of the endpoint is in progress; raises DeployError on timeout."""
    for endpoint in _poll(aws, name, options):
        if endpoint.get("EndpointStatus") not in IN_PROGRESS_STATUSES:
            return


def wait_until_deleted(aws: Aws, name: str, options: WaitOptions) -> None:
    """Wait until an endpoint no longer exists; raises DeployError if its deletion failed."""
    endpoint = _wait_for_outcome(aws, name, options, lambda endpoint: not endpoint)
    if endpoint:
        raise DeployError(
            f"the endpoint {name} was not deleted ({_failure_reason(endpoint)}); it is "
            f"{endpoint['EndpointStatus']}, and its scaling and alarms have been removed; run "
            "python -m deploy down to try again, or up to restore them"
        )


def wait_until_serving(aws: Aws, name: str, config_name: str, options: WaitOptions) -> None:
    """Wait until the endpoint is in service with an endpoint config.

    Raises RolledBack if it is in service with another one, and DeployError if it is not in service.
    """

    def is_serving(endpoint: Parameters) -> bool:
        is_in_service = endpoint.get("EndpointStatus") == "InService"
        return is_in_service and bool(endpoint["EndpointConfigName"] == config_name)

    endpoint = _wait_for_outcome(aws, name, options, is_serving)
    status = endpoint.get("EndpointStatus", "deleted")
    reason = _failure_reason(endpoint)
    if status == "UpdateRollbackFailed":
        raise DeployError(
            f"the update failed, and so did its rollback: {reason}: {name} may run both endpoint "
            "configs; run python -m deploy rollback, or up again; as a last resort, down and up "
            "recreate the endpoint, with downtime"
        )
    if status != "InService":
        raise DeployError(f"the endpoint {name} is {status}: {reason}; {SEE_LOGS}")
    if not is_serving(endpoint):
        _raise_rolled_back(name, endpoint, config_name)


def _raise_rolled_back(name: str, endpoint: Parameters, config_name: str) -> None:
    serving = f"in service with {endpoint['EndpointConfigName']}, not {config_name}"
    if "FailureReason" not in endpoint:
        raise RolledBack(
            "another update replaced this one, or AWS rolled it back without a reason: "
            f"{name} is {serving}; {SEE_LOGS}"
        )
    raise RolledBack(
        f"the update was rolled back: {_failure_reason(endpoint)}: "
        f"{name} is still {serving}; {SEE_LOGS}"
    )


def _wait_for_outcome(
    aws: Aws, name: str, options: WaitOptions, is_success: Callable[[Parameters], bool]
) -> Parameters:
    """Return the endpoint once a change has finished; empty if the endpoint does not exist.

    A description that is neither in progress nor a success may be stale, so it counts only if a
    change was in progress before, or if it is repeated.
    """
    was_in_progress, remaining_reads = False, MAX_STALE_READS
    for endpoint in _poll(aws, name, options):
        if endpoint.get("EndpointStatus") in IN_PROGRESS_STATUSES:
            was_in_progress = True
            continue
        remaining_reads -= 1
        if was_in_progress or remaining_reads == 0 or is_success(endpoint):
            return endpoint
    raise AssertionError  # _poll ends with an error only


def _poll(aws: Aws, name: str, options: WaitOptions) -> Iterator[Parameters]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        yield _describe_endpoint(aws, name, options)
        time.sleep(options.poll_seconds)
    raise DeployError(
        f"the endpoint {name} is still changing after {TIMEOUT_SECONDS / 3600:.0f} hours; "
        "see python -m deploy status"
    )


def _describe_endpoint(aws: Aws, name: str, options: WaitOptions) -> Parameters:
    try:
        endpoint = aws.call("sagemaker", "describe_endpoint", EndpointName=name)
    except ClientError as error:
        if has_not_found_message(error):
            return {}
        raise
    options.report(_format_progress(name, endpoint))
    return endpoint


def _failure_reason(endpoint: Parameters) -> str:
    return str(endpoint.get("FailureReason", "AWS gave no reason"))


def _format_progress(name: str, endpoint: Parameters) -> str:
    parts = [f"{name}: {endpoint['EndpointStatus']}"]
    for variant in endpoint.get("ProductionVariants", []):
        if "CurrentInstanceCount" in variant:
            desired = variant.get("DesiredInstanceCount", "?")
            parts.append(f"{variant['CurrentInstanceCount']} of {desired} instances")
    return ", ".join([*parts, endpoint["EndpointConfigName"]])
