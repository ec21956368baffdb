"""Runs one planned call, with retries while AWS is not yet consistent."""

import time

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.config.naming import Parameters
from deploy.desired.autoscaling import policy_arn_placeholder
from deploy.errors import error_message
from deploy.execution.idempotency import is_already_done
from deploy.execution.waiting import WaitOptions
from deploy.planning.call import Call

# A resource may not be found by the call that needs it just after it was created.
MAX_ATTEMPTS = 6
INCONSISTENT_MESSAGES = ("could not find", "no scalable target")


class CallRunner:
    """Runs planned calls, and replaces placeholders by the ARNs that earlier calls returned."""

    def __init__(self, aws: Aws, options: WaitOptions, tarball: bytes | None) -> None:
        self._aws, self._options, self._tarball = aws, options, tarball
        self._policy_arns: dict[str, str] = {}

    def report(self, call: Call) -> None:
        """Print a call and its reason."""
        self._options.report(f"{call.operation} {call.subject}: {call.reason}")

    def run(self, call: Call) -> None:
        """Report and run a call; raises DeployError and botocore's errors."""
        self.report(call)
        self.run_silently(call)

    def run_silently(self, call: Call, max_attempts: int = MAX_ATTEMPTS) -> None:
        """Run a call; raises DeployError and botocore's errors."""
        parameters = self._resolve_parameters(call)
        response = self._call_with_retries(call, parameters, max_attempts)
        if "PolicyARN" in response:
            placeholder = policy_arn_placeholder(parameters["PolicyName"])
            self._policy_arns[placeholder] = response["PolicyARN"]

    def _resolve_parameters(self, call: Call) -> Parameters:
        parameters = dict(call.parameters)
        if call.operation == "put_object":
            parameters["Body"] = self._tarball
        if "AlarmActions" in parameters:
            actions = parameters["AlarmActions"]
            parameters["AlarmActions"] = [
                self._policy_arns.get(action, action) for action in actions
            ]
        return parameters

    def _call_with_retries(
        self, call: Call, parameters: Parameters, max_attempts: int
    ) -> Parameters:
        """Return the response, which is empty if an earlier attempt had already succeeded."""
        for remaining in reversed(range(max_attempts)):
            try:
                return self._aws.call(call.service, call.operation, **parameters)
            except ClientError as error:
                if is_already_done(self._aws, call, error, self._options):
                    break
                if remaining == 0 or not _may_be_inconsistent(error):
                    raise
                time.sleep(self._options.poll_seconds)
        return {}


def _may_be_inconsistent(error: ClientError) -> bool:
    message = error_message(error).lower()
    return any(text in message for text in INCONSISTENT_MESSAGES)
