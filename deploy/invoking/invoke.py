"""Invokes an endpoint, real-time, serverless or asynchronous."""

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.errors import DeployError, error_code, error_message
from deploy.execution.waiting import WaitOptions
from deploy.invoking.asynchronous import invoke_asynchronously
from deploy.invoking.payload import Payload


def invoke(aws: Aws, configuration: Configuration, payload: Payload, options: WaitOptions) -> bytes:
    """Send a payload, and return the response.

    Raises:
        DeployError: the container rejected the payload, or the endpoint does not exist.
        ClientError: AWS rejected the invocation.
    """
    if configuration.compute.asynchronous:
        return invoke_asynchronously(aws, configuration, payload, options)
    parameters = {"EndpointName": configuration.name, "Body": payload.content}
    parameters |= payload.parameters
    try:
        response = aws.call("sagemaker-runtime", "invoke_endpoint", **parameters)
        content: bytes = response["Body"].read()
    except ClientError as error:
        if error_code(error) == "ModelError":
            status = error.response.get("OriginalStatusCode")
            message = error.response.get("OriginalMessage", "").strip()
            raise DeployError(f"the container responded with status {status}: {message}") from error
        if "not found" in error_message(error).lower():
            raise DeployError(
                f"endpoint {configuration.name} does not exist in {aws.region}; "
                "create it with python -m deploy up"
            ) from error
        raise
    return content
