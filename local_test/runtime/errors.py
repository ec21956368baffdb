"""The errors of the SageMaker Runtime API: their names, HTTP statuses and JSON bodies.

RuntimeApiError              500  a bug in this emulator
├── ValidationError          400  a parameter, the body, the endpoint or the variant is invalid
├── AccessDenied             403  a page of a web site sent the request
├── UnknownOperation         404  no operation has this path and method
├── ModelError               424  the container sent an error, part of a response, or none in time
└── ServiceUnavailable       503  the container accepts no connections

Source: "Errors" in InvokeEndpoint, Amazon SageMaker Runtime API Reference.
"""

from http import HTTPStatus
from typing import Any

MAX_ORIGINAL_MESSAGE_LENGTH = 2048  # characters of the container's message: contract 3.10
ACCOUNT_ID = "000000000000"
# AWS's own wording.
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. "
    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, "
    "and try again."
)


class RuntimeApiError(Exception):
    """An error of the API; clients recognize it by ``name``."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    name = "InternalFailure"

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the error response."""
        return {"Message": str(self)}


class ValidationError(RuntimeApiError):
    """A parameter, the body, the endpoint or the variant is invalid."""

    status = HTTPStatus.BAD_REQUEST
    name = "ValidationError"


class AccessDenied(RuntimeApiError):
    """A page of a web site sent the request, not a program."""

    status = HTTPStatus.FORBIDDEN
    name = "AccessDeniedException"


class UnknownOperation(RuntimeApiError):
    """No operation of the API has this path and method."""

    status = HTTPStatus.NOT_FOUND
    name = "UnknownOperationException"


class ServiceUnavailable(RuntimeApiError):
    """The container accepts no connections; boto3 retries by default."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    name = "ServiceUnavailable"


class ModelError(RuntimeApiError):
    """The container failed; the caller gets its status (0 without a response) and its message."""

    status = HTTPStatus.FAILED_DEPENDENCY
    name = "ModelError"

    def __init__(self, endpoint_name: str, original_status: int, original_message: str) -> None:
        """Build AWS's message from the container's status and message, which is truncated."""
        self.endpoint_name = endpoint_name
        self.original_status = original_status
        self.original_message = original_message[:MAX_ORIGINAL_MESSAGE_LENGTH]
        is_client_error = 400 <= original_status < 500
        side = "client" if is_client_error else "server"
        super().__init__(
            f"Received {side} error ({original_status}) from primary with message "
            f'"{self.original_message}". See the container\'s log in the terminal '
            "of this local runtime for more information."
        )

    def body(self) -> dict[str, Any]:
        log_group = f"/aws/sagemaker/Endpoints/{self.endpoint_name}"
        return {
            "Message": str(self),
            "OriginalStatusCode": self.original_status,
            "OriginalMessage": self.original_message,
            "LogStreamArn": f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:{log_group}",
        }
