"""What the SageMaker Runtime API answers when an invocation fails: names, statuses and bodies of ../shared/deploy.md 2.3.

RuntimeFailure
├── ValidationError         400  the request is not one of the API, or names what is not there
├── UnknownOperation        404  no operation of the API has this path and method
├── ModelError              424  the container answered other than 2xx, late, or not to the end
└── ServiceUnavailable      503  no container answers
"""

from http import HTTPStatus
from typing import Any

LONGEST_MESSAGE = 2048  # characters of what the container said: contract 3.10
ACCOUNT = "000000000000"
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. "
    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


class RuntimeFailure(Exception):
    """An error of the API, which clients tell by its name."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    name = "InternalFailure"

    def body(self) -> dict[str, Any]:
        """Return the error as the API writes it in JSON."""
        return {"Message": str(self)}


class ValidationError(RuntimeFailure):
    """The request is not one of the API, or names what is not there."""

    status = HTTPStatus.BAD_REQUEST
    name = "ValidationError"


class UnknownOperation(RuntimeFailure):
    """No operation of the API has this path and method."""

    status = HTTPStatus.NOT_FOUND
    name = "UnknownOperationException"


class ServiceUnavailable(RuntimeFailure):
    """No container answers; clients try again by themselves."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    name = "ServiceUnavailable"


class ModelError(RuntimeFailure):
    """The container failed; its status, or 0 if it had none, and its words go to the caller."""

    status = HTTPStatus.FAILED_DEPENDENCY
    name = "ModelError"

    def __init__(self, endpoint: str, original_status: int, original_message: str) -> None:
        """Take over what the container answered."""
        self.endpoint = endpoint
        self.original_status = original_status
        self.original_message = original_message[:LONGEST_MESSAGE]
        side = (
            "client"
            if HTTPStatus.BAD_REQUEST <= original_status < HTTPStatus.INTERNAL_SERVER_ERROR
            else "server"
        )
        super().__init__(
            f'Received {side} error ({original_status}) from primary with message "{self.original_message}". '
            "See the container's log where this local runtime was started for more information."
        )

    def body(self) -> dict[str, Any]:
        return {
            "Message": str(self),
            "OriginalStatusCode": self.original_status,
            "OriginalMessage": self.original_message,
            "LogStreamArn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/{self.endpoint}",
        }
