"""Makes the calls of a plan, one after the other, so that each can be the last and the next run goes on."""

import time
from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.call import Call
from deploy.failures import message_of
from deploy.naming import Parameters
from deploy.scaling import arn_of
from deploy.waiting import RolledBack, Waiting, wait_for, wait_until_settled

STALE_TRIES = 6
SCALING = ("register_scalable_target", "put_scaling_policy", "put_metric_alarm")  # what of a plan puts it on again


def make(aws: Aws, calls: Sequence[Call], waiting: Waiting, packed: bytes | None = None) -> None:
    """Make calls in order, and wait after those that take their time; raises DeployError and botocore's errors.

    After a rollback the scaling that was taken off is put on again before RolledBack is raised.
    """
    arns: dict[str, str] = {}
    for number, call in enumerate(calls):
        _make(aws, call, waiting, packed, arns)
        try:
            _wait_after(aws, call, waiting)
        except RolledBack:
            for rest in calls[number + 1 :]:
                if rest.operation in SCALING:
                    _make(aws, rest, waiting, packed, arns)
            raise


def _make(aws: Aws, call: Call, waiting: Waiting, packed: bytes | None, arns: dict[str, str]) -> None:
    waiting.say(f"{call.operation} {call.subject}: {call.why}")
    parameters = dict(call.parameters)
    if call.operation == "put_object":
        parameters["Body"] = packed
    if "AlarmActions" in parameters:
        parameters["AlarmActions"] = [arns.get(action, action) for action in parameters["AlarmActions"]]
    answer = _with_patience(lambda: aws.call(call.service, call.operation, **parameters), waiting, _is_done(call))
    if "PolicyARN" in answer:
        arns[arn_of(parameters["PolicyName"])] = answer["PolicyARN"]


def _is_done(call: Call) -> Callable[[str], bool]:
    # A call whose answer was lost is tried again by boto3: then what it makes is there, and what it removes is gone.
    if call.operation.startswith("create_"):
        return lambda message: "already exist" in message
    if call.operation.startswith(("delete_", "deregister_")):
        return lambda message: "could not find" in message or "no scal" in message
    if call.operation == "update_endpoint":  # then its own update is what is under way, and the wait for it compares
        return lambda message: "in-progress" in message
    return lambda _: False


def _with_patience(attempt: Callable[[], Parameters], waiting: Waiting, is_done: Callable[[str], bool]) -> Parameters:
    # What was made a moment ago may not be found yet by the call that needs it.
    for left in reversed(range(STALE_TRIES)):
        try:
            return attempt()
        except ClientError as error:
            message = message_of(error).lower()
            if is_done(message):
                break
            if left == 0 or "could not find" not in message:
                raise
            time.sleep(waiting.poll_seconds)
    return {}


def _wait_after(aws: Aws, call: Call, waiting: Waiting) -> None:
    if call.operation in ("create_endpoint", "update_endpoint"):
        wait_for(aws, call.parameters["EndpointName"], call.parameters["EndpointConfigName"], waiting)
    elif call.operation == "delete_endpoint":
        wait_until_settled(aws, call.parameters["EndpointName"], waiting)
