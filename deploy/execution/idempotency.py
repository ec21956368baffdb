"""Recognizes errors that mean that a call had already succeeded.

boto3 retries a call whose response was lost. The retry then finds the resource already created, or
already deleted.
"""

import time

from botocore.exceptions import ClientError

from deploy.actual.lookup import NOT_FOUND_CODES, has_not_found_message
from deploy.aws import Aws
from deploy.errors import DeployError, error_code, error_message
from deploy.execution.waiting import WaitOptions
from deploy.planning.call import Call

MAX_STALE_READS = 6
IN_PROGRESS_MESSAGE = "in-progress"
NO_SCALABLE_TARGET = "no scal"  # "No scalable target found", "No scaling policy found"


def is_already_done(aws: Aws, call: Call, error: ClientError, options: WaitOptions) -> bool:
    """Return whether an error means that the call had already succeeded.

    Raises DeployError if another update of the endpoint is in progress.
    """
    message = error_message(error).lower()
    if call.operation.startswith("create_"):
        return "already exist" in message
    if call.operation == "delete_alarms":
        # If one of the alarms does not exist, AWS deletes none of them.
        return _was_retried(error) and error_code(error) in NOT_FOUND_CODES
    if call.operation == "delete_endpoint" and IN_PROGRESS_MESSAGE in message:
        return _is_being_deleted(aws, call)
    if call.operation.startswith(("delete_", "deregister_")):
        return has_not_found_message(error) or NO_SCALABLE_TARGET in message
    if call.operation == "update_endpoint" and IN_PROGRESS_MESSAGE in message:
        return _verify_own_update(aws, call, error, options)
    return False


def _was_retried(error: ClientError) -> bool:
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))


def _is_being_deleted(aws: Aws, call: Call) -> bool:
    try:
        endpoint = aws.call("sagemaker", "describe_endpoint", **call.parameters)
    except ClientError as error:
        return has_not_found_message(error)
    return bool(endpoint["EndpointStatus"] == "Deleting")


def _verify_own_update(aws: Aws, call: Call, error: ClientError, options: WaitOptions) -> bool:
    if _was_retried(error) and _is_own_update(aws, call, options):
        return True
    raise DeployError(
        f"another update of {call.parameters['EndpointName']} is in progress, for example from "
        "another terminal or from scaling; run the same command again to wait for it and continue"
    ) from error


def _is_own_update(aws: Aws, call: Call, options: WaitOptions) -> bool:
    """Return whether the update in progress switches to the endpoint config of this call."""
    name, config_name = call.parameters["EndpointName"], call.parameters["EndpointConfigName"]
    for _ in range(MAX_STALE_READS):
        endpoint = aws.call("sagemaker", "describe_endpoint", EndpointName=name)
        if "PendingDeploymentSummary" in endpoint:
            pending = endpoint["PendingDeploymentSummary"]
            return bool(pending["EndpointConfigName"] == config_name)
        if endpoint["EndpointConfigName"] == config_name:
            return True
        time.sleep(options.poll_seconds)
    return False
