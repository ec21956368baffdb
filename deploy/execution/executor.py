"""Executes the calls of a plan in order, and restores scaling and alarms if one fails."""

from collections.abc import Sequence

from deploy.aws import Aws
from deploy.errors import DeployError
from deploy.execution.call_runner import CallRunner
from deploy.execution.restoring import find_scaling_call, is_scaling_call, restore
from deploy.execution.signals import DeferredSignals
from deploy.execution.waiting import WaitOptions, wait_until_deleted, wait_until_serving
from deploy.planning.call import Call

ASYNCHRONOUS_OPERATIONS = ("create_endpoint", "update_endpoint", "delete_endpoint")
RUN_AGAIN = "run the same command again to continue"


def execute_calls(
    aws: Aws, calls: Sequence[Call], options: WaitOptions, tarball: bytes | None = None
) -> None:
    """Execute calls in order, and wait for those that AWS completes in the background.

    If a call fails or the user interrupts the run, scaling and alarms that it removed are restored:
    to their previous state, or after a completed update to the state that the file configures.
    Signals take effect between two calls or during a wait, never during a call.

    Raises DeployError, or botocore's errors.
    """
    runner = CallRunner(aws, options, tarball)
    undo_calls: list[Call] = []
    with DeferredSignals() as signals:
        for index, call in enumerate(calls):
            later_calls = calls[index + 1 :]
            # Added before the call, because its response may be lost.
            undo_calls = undo_calls + call.undo
            try:
                runner.run(call)
                undo_calls = _drop_completed(undo_calls, call)
                with signals.deliver():
                    _wait_for_completion(aws, call, options)
            except KeyboardInterrupt as error:
                interruption = _describe_interruption(call)
                restore(aws, runner, undo_calls, DeployError(interruption))
                scaling = _describe_scaling(undo_calls, later_calls)
                raise DeployError(f"{interruption}{scaling}; {RUN_AGAIN}") from error
            except BaseException as error:
                restore(aws, runner, undo_calls, error)
                raise
            if call.operation == "update_endpoint" and undo_calls:
                # From now on, scaling is restored to the state that the file configures.
                undo_calls = [later for later in later_calls if is_scaling_call(later)]


def _drop_completed(undo_calls: list[Call], call: Call) -> list[Call]:
    """Return the undo calls that remain after a call."""
    if call.operation == "delete_endpoint":
        return []  # nothing remains to be scaled or monitored
    remaining = list(undo_calls)
    if call in remaining:
        remaining.remove(call)
    return remaining


def _wait_for_completion(aws: Aws, call: Call, options: WaitOptions) -> None:
    if call.operation not in ASYNCHRONOUS_OPERATIONS:
        return
    name = call.parameters["EndpointName"]
    if call.operation == "delete_endpoint":
        wait_until_deleted(aws, name, options)
    else:
        wait_until_serving(aws, name, call.parameters["EndpointConfigName"], options)


def _describe_interruption(call: Call) -> str:
    description = f"interrupted after {call.operation} {call.subject}"
    if call.operation in ASYNCHRONOUS_OPERATIONS:
        return f"{description}, which is still running on AWS"
    return description


def _describe_scaling(undo_calls: list[Call], later_calls: Sequence[Call]) -> str:
    if find_scaling_call(undo_calls):
        return "; scaling was restored"
    if find_scaling_call(later_calls):
        return "; scaling does not match the file yet"
    return ""
