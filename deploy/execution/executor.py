"""Makes the calls of a plan, one after the other, so that each can be the last and the next run goes on."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from deploy.actual import ABSENT, scalable_target
from deploy.aws import Aws
from deploy.config.naming import Parameters
from deploy.desired.autoscaling import policy_arn_placeholder
from deploy.errors import DeployError, error_code, error_message, summarize_error
from deploy.execution.signals import Interruption
from deploy.execution.waiting import Waiting, wait_for, wait_until_gone
from deploy.planning.call import Call

STALE_TRIES = 6
STALE = ("could not find", "no scalable target")
AGAIN = "run the same command again; it goes on where it was"
TAKE_TIME = ("create_endpoint", "update_endpoint", "delete_endpoint")
SCALING = (
    "register_scalable_target",
    "put_scaling_policy",
    "put_scheduled_action",
    "put_metric_alarm",
)


def make(aws: Aws, calls: Sequence[Call], waiting: Waiting, packed: bytes | None = None) -> None:
    """Make calls in order, and wait after those that take their time; raises DeployError and botocore's errors.

    Where scaling was taken off for an update, and anything fails or the run is broken off, it is put on again: as it was, or
    after the update as it is wanted. A run is broken off between calls or while it waits, never within a call, which may land
    after what puts it right.
    """
    making, owed = _Making(aws, waiting, packed), list[Call]()
    with Interruption() as interruption:
        for number, call in enumerate(calls):
            owed += call.undo  # before the call, whose answer may be lost
            try:
                making.make(call)
                if call.operation == "delete_endpoint":
                    owed = []  # with it goes what would be scaled and watched
                elif call in owed:
                    owed.remove(call)
                with interruption.let_in():
                    _wait_after(aws, call, waiting)
            except KeyboardInterrupt as error:
                broken_off = _broken_off(call)
                making.put_back(owed, DeployError(broken_off))
                raise DeployError(
                    f"{broken_off}{_state(owed, calls[number + 1 :])}: {AGAIN}"
                ) from error
            except BaseException as error:
                making.put_back(owed, error)
                raise
            if call.operation == "update_endpoint" and owed:
                owed = [one for one in calls[number + 1 :] if one.operation in SCALING]


class _Making:
    """Makes calls, of which later ones name what AWS answered to earlier ones."""

    def __init__(self, aws: Aws, waiting: Waiting, packed: bytes | None) -> None:
        self._aws, self._waiting, self._packed = aws, waiting, packed
        self._arns: dict[str, str] = {}

    def make(self, call: Call) -> None:
        """Make a call; raises DeployError and botocore's errors."""
        self._say(call)
        self._make(call, STALE_TRIES)

    def put_back(self, owed: list[Call], error: BaseException) -> None:
        """Make each call that is owed after an error; raises DeployError that names those that fail too."""
        failed = list[tuple[Call, BaseException]]()
        for call in owed:
            with suppress(OSError):  # who hears may be gone, as a terminal that is closed
                self._say(call)
            try:
                self._make(
                    call, 1 if failed else STALE_TRIES
                )  # without its target a policy is not found, however long
            except (BotoCoreError, ClientError, DeployError, OSError) as another:
                failed.append((call, another))
        if failed:
            raise DeployError(
                f"{_line(error, self._aws.region)}; and {self._what_is_off(owed, failed)}"
            ) from error

    def _say(self, call: Call) -> None:
        self._waiting.say(f"{call.operation} {call.subject}: {call.why}")

    def _make(self, call: Call, tries: int) -> None:
        parameters = dict(call.parameters)
        if call.operation == "put_object":
            parameters["Body"] = self._packed
        if "AlarmActions" in parameters:
            parameters["AlarmActions"] = [
                self._arns.get(action, action) for action in parameters["AlarmActions"]
            ]
        attempt = partial(self._aws.call, call.service, call.operation, **parameters)
        answer = _with_patience(self._aws, attempt, self._waiting, call, tries)
        if "PolicyARN" in answer:
            self._arns[policy_arn_placeholder(parameters["PolicyName"])] = answer["PolicyARN"]

    def _what_is_off(self, owed: list[Call], failed: list[tuple[Call, BaseException]]) -> str:
        names = ", ".join(f"{call.operation} {call.subject}" for call, _ in failed)
        why, state = _line(failed[0][1], self._aws.region), ""
        if scaled := _scaled(owed):
            try:
                state = "on" if scalable_target(self._aws, scaled) else "off"
            except (BotoCoreError, ClientError, OSError):
                state = "perhaps off"
        if state.endswith("off"):
            return f"scaling is {state}, as it could not be put on again ({why}): up puts it on; not made again: {names}"
        return f"{'scaling is on, but ' if state else ''}not made again ({why}): {names}: up makes of it what the file has"


def _broken_off(call: Call) -> str:
    goes_on = ", with which AWS goes on" if call.operation in TAKE_TIME else ""
    return f"broken off after {call.operation} {call.subject}{goes_on}"


def _state(owed: list[Call], later: Sequence[Call]) -> str:
    if _scaled(owed):
        return "; scaling is on again"
    return "; scaling is not yet as the file says" if _scaled(later) else ""


def _scaled(calls: Sequence[Call]) -> Parameters | None:
    return next(
        (
            call.parameters
            for call in calls
            if call.operation in SCALING and "ResourceId" in call.parameters
        ),
        None,
    )


def _line(error: BaseException, region: str) -> str:
    if isinstance(error, BotoCoreError | ClientError):
        return summarize_error(error, region)
    return str(error) or "broken off"


def _is_done(aws: Aws, call: Call, error: ClientError, waiting: Waiting) -> bool:
    # A call whose answer was lost is tried again by boto3: then what it makes is there, and what it removes is gone.
    message, is_again = (
        error_message(error).lower(),
        bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts")),
    )
    if call.operation.startswith("create_"):
        return "already exist" in message
    if (
        call.operation == "delete_alarms"
    ):  # of several alarms AWS deletes none where one is not found
        return is_again and error_code(error) in ABSENT
    if call.operation == "delete_endpoint" and "in-progress" in message:
        return _is_going(aws, call)
    if call.operation.startswith(("delete_", "deregister_")):
        return "could not find" in message or "no scal" in message
    if call.operation != "update_endpoint" or "in-progress" not in message:
        return False
    if is_again and _is_own_update(aws, call, waiting):
        return True  # the wait for it compares
    raise DeployError(
        f"another update of {call.parameters['EndpointName']} is under way, as from another terminal or by scaling: "
        "run the same command again; it waits for that first, and compares then"
    ) from error


def _is_going(aws: Aws, call: Call) -> bool:
    try:
        endpoint = aws.call("sagemaker", "describe_endpoint", **call.parameters)
    except ClientError as error:
        return "could not find" in error_message(error).lower()
    return bool(endpoint["EndpointStatus"] == "Deleting")


def _is_own_update(aws: Aws, call: Call, waiting: Waiting) -> bool:
    name, config = call.parameters["EndpointName"], call.parameters["EndpointConfigName"]
    for _ in range(STALE_TRIES):  # just after a change AWS may still tell how it was before
        endpoint = aws.call("sagemaker", "describe_endpoint", EndpointName=name)
        if "PendingDeploymentSummary" in endpoint:
            return bool(endpoint["PendingDeploymentSummary"]["EndpointConfigName"] == config)
        if endpoint["EndpointConfigName"] == config:
            return True
        time.sleep(waiting.poll_seconds)
    return False


def _with_patience(
    aws: Aws, attempt: Callable[[], Parameters], waiting: Waiting, call: Call, tries: int
) -> Parameters:
    # What was made a moment ago may not be found yet by the call that needs it.
    for left in reversed(range(tries)):
        try:
            return attempt()
        except ClientError as error:
            if _is_done(aws, call, error, waiting):
                break
            if left == 0 or not any(words in error_message(error).lower() for words in STALE):
                raise
            time.sleep(waiting.poll_seconds)
    return {}


def _wait_after(aws: Aws, call: Call, waiting: Waiting) -> None:
    if call.operation == "delete_endpoint":
        wait_until_gone(aws, call.parameters["EndpointName"], waiting)
    elif call.operation in TAKE_TIME:
        wait_for(
            aws, call.parameters["EndpointName"], call.parameters["EndpointConfigName"], waiting
        )
