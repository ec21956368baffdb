"""Restores scaling and alarms after a failed or interrupted run."""

from collections.abc import Sequence
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from deploy.actual.lookup import find_scalable_target
from deploy.aws import Aws
from deploy.errors import DeployError, summarize_error
from deploy.execution.call_runner import MAX_ATTEMPTS, CallRunner
from deploy.planning.call import Call

SCALING_OPERATIONS = (
    "register_scalable_target",
    "put_scaling_policy",
    "put_scheduled_action",
    "put_metric_alarm",
)
ATTACHED, DETACHED, MAY_BE_DETACHED = "is attached", "is detached", "may be detached"

_Failures = list[tuple[Call, BaseException]]


def restore(aws: Aws, runner: CallRunner, undo_calls: list[Call], error: BaseException) -> None:
    """Run the calls that restore scaling and alarms after an error.

    Raises DeployError if some of them fail, with their names and the original error.
    """
    failures = _run_all(runner, undo_calls)
    if failures:
        summary = _summarize(error, aws.region)
        raise DeployError(
            f"{summary}; and {_describe_failures(aws, undo_calls, failures)}"
        ) from error


def is_scaling_call(call: Call) -> bool:
    """Return whether a call attaches scaling, or creates an alarm."""
    return call.operation in SCALING_OPERATIONS


def find_scaling_call(calls: Sequence[Call]) -> Call | None:
    """Return the first call that concerns the scalable target, if there is one."""
    for call in calls:
        if is_scaling_call(call) and "ResourceId" in call.parameters:
            return call
    return None


def _run_all(runner: CallRunner, calls: list[Call]) -> _Failures:
    failures: _Failures = []
    for call in calls:
        with suppress(OSError):  # the terminal may be closed
            runner.report(call)
        # Without its scalable target, a policy fails the same way on every attempt.
        max_attempts = 1 if failures else MAX_ATTEMPTS
        try:
            runner.run_silently(call, max_attempts)
        except (BotoCoreError, ClientError, DeployError, OSError) as error:
            failures.append((call, error))
    return failures


def _describe_failures(aws: Aws, undo_calls: list[Call], failures: _Failures) -> str:
    names = ", ".join(f"{call.operation} {call.subject}" for call, _ in failures)
    reason = _summarize(failures[0][1], aws.region)
    scaling_call = find_scaling_call(undo_calls)
    if scaling_call is None:
        return f"not restored ({reason}): {names}; run up to apply the file"
    state = _describe_scaling_state(aws, scaling_call)
    if state == ATTACHED:
        return f"scaling {state}, but not restored ({reason}): {names}; run up to apply the file"
    return (
        f"scaling {state} and could not be restored ({reason}); "
        f"not restored: {names}; run up to attach scaling"
    )


def _describe_scaling_state(aws: Aws, scaling_call: Call) -> str:
    try:
        target = find_scalable_target(aws, scaling_call.parameters)
    except (BotoCoreError, ClientError, OSError):
        return MAY_BE_DETACHED
    return ATTACHED if target else DETACHED


def _summarize(error: BaseException, region: str) -> str:
    if isinstance(error, BotoCoreError | ClientError):
        return summarize_error(error, region)
    return str(error) or "interrupted"
