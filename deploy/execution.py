"""Makes the calls of a plan, one after the other, so that each can be the last and the next run goes on."""

import time
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.call import Call
from deploy.failures import DeployError, in_one_line, message_of
from deploy.naming import Parameters
from deploy.scaling import arn_of
from deploy.waiting import Waiting, wait_for, wait_until_gone

STALE_TRIES = 6
SCALING = ("register_scalable_target", "put_scaling_policy", "put_scheduled_action", "put_metric_alarm")


def make(aws: Aws, calls: Sequence[Call], waiting: Waiting, packed: bytes | None = None) -> None:
    """Make calls in order, and wait after those that take their time; raises DeployError and botocore's errors.

    Where scaling was taken off for an update, and anything fails or the run is broken off, it is put on again: as it was, or
    after the update as it is wanted.
    """
    making, owed = _Making(aws, waiting, packed), list[Call]()
    for number, call in enumerate(calls):
        owed += call.undo  # before the call, whose answer may be lost
        try:
            making.make(call)
            _wait_after(aws, call, waiting)
        except BaseException as error:
            making.put_back(owed, error)
            raise
        if call.operation == "update_endpoint" and owed:
            owed = [one for one in calls[number + 1 :] if one.operation in SCALING]
        elif call in owed:
            owed.remove(call)


class _Making:
    """Makes calls, of which later ones name what AWS answered to earlier ones."""

    def __init__(self, aws: Aws, waiting: Waiting, packed: bytes | None) -> None:
        self._aws, self._waiting, self._packed = aws, waiting, packed
        self._arns: dict[str, str] = {}

    def make(self, call: Call) -> None:
        """Make a call; raises DeployError and botocore's errors."""
        self._waiting.say(f"{call.operation} {call.subject}: {call.why}")
        parameters = dict(call.parameters)
        if call.operation == "put_object":
            parameters["Body"] = self._packed
        if "AlarmActions" in parameters:
            parameters["AlarmActions"] = [self._arns.get(action, action) for action in parameters["AlarmActions"]]
        answer = _with_patience(lambda: self._aws.call(call.service, call.operation, **parameters), self._waiting, call)
        if "PolicyARN" in answer:
            self._arns[arn_of(parameters["PolicyName"])] = answer["PolicyARN"]

    def put_back(self, owed: list[Call], error: BaseException) -> None:
        """Make the calls that are owed after an error; raises DeployError where that fails too."""
        try:
            for call in owed:
                self.make(call)
        except (BotoCoreError, ClientError, DeployError) as another:
            first, then = (_line(one, self._aws.region) for one in (error, another))
            raise DeployError(f"{first}; and scaling is off, as it could not be put on again ({then}): up puts it on") from error


def _line(error: BaseException, region: str) -> str:
    if isinstance(error, BotoCoreError | ClientError):
        return in_one_line(error, region)
    return str(error) or "broken off"


def _is_done(call: Call, error: ClientError) -> bool:
    # A call whose answer was lost is tried again by boto3: then what it makes is there, and what it removes is gone.
    message = message_of(error).lower()
    if call.operation.startswith("create_"):
        return "already exist" in message
    if call.operation.startswith(("delete_", "deregister_")):
        return "could not find" in message or "no scal" in message
    if call.operation != "update_endpoint" or "in-progress" not in message:
        return False
    if error.response.get("ResponseMetadata", {}).get("RetryAttempts"):
        return True  # its own update is what is under way, and the wait for it compares
    raise DeployError(
        f"another update of {call.parameters['EndpointName']} is under way, as from another terminal or by scaling: "
        "run the same command again; it waits for that first, and compares then"
    ) from error


def _with_patience(attempt: Callable[[], Parameters], waiting: Waiting, call: Call) -> Parameters:
    # What was made a moment ago may not be found yet by the call that needs it.
    for left in reversed(range(STALE_TRIES)):
        try:
            return attempt()
        except ClientError as error:
            if _is_done(call, error):
                break
            if left == 0 or "could not find" not in message_of(error).lower():
                raise
            time.sleep(waiting.poll_seconds)
    return {}


def _wait_after(aws: Aws, call: Call, waiting: Waiting) -> None:
    if call.operation in ("create_endpoint", "update_endpoint"):
        wait_for(aws, call.parameters["EndpointName"], call.parameters["EndpointConfigName"], waiting)
    elif call.operation == "delete_endpoint":
        wait_until_gone(aws, call.parameters["EndpointName"], waiting)
