"""An invocation of an endpoint, of whichever kind it is."""

from botocore.exceptions import ClientError

from deploy.aws import Aws
from deploy.config.configuration import Configuration
from deploy.errors import DeployError, error_code, error_message
from deploy.execution.waiting import Waiting
from deploy.invoking.asynchronous import invoke_asynchronously
from deploy.invoking.payload import Payload


def invoke(aws: Aws, configuration: Configuration, payload: Payload, waiting: Waiting) -> bytes:
    """Send a payload, and return the reply; raises DeployError for what the container refuses, and botocore's errors."""
    if configuration.compute.asynchronous:
        return invoke_asynchronously(aws, configuration, payload, waiting)
    asked = {"EndpointName": configuration.name, "Body": payload.content, **payload.parameters}
    try:
        reply: bytes = aws.call("sagemaker-runtime", "invoke_endpoint", **asked)["Body"].read()
    except ClientError as error:
        if error_code(error) == "ModelError":
            said = error.response.get("OriginalMessage", "").strip()
            raise DeployError(
                f"the container answered {error.response.get('OriginalStatusCode')}: {said}"
            ) from error
        if "not found" in error_message(error).lower():
            raise DeployError(
                f"there is no endpoint {configuration.name} in {aws.region}: python -m deploy up makes it"
            ) from error
        raise
    return reply
