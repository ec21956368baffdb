"""The API's request parameters: their headers, their constraints, and which reach the container.

Source: the URI request parameters of InvokeEndpoint, InvokeEndpointAsync and
InvokeEndpointWithResponseStream, Amazon SageMaker Runtime API Reference.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import Headers

from local_test.runtime.errors import ValidationError
from serve.text import quoted

NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"
MAX_NAME_LENGTH = 63
PRINTABLE = r"[!-~][ -~]*"
ASCII = r"[\t -~]*"  # the part of ASCII that a header value can contain


@dataclass(frozen=True, slots=True)
class Parameter:
    """A request parameter: its name in the API, the header that carries it, and its constraints."""

    name: str
    header: str
    max_length: int
    pattern: str


def _select_parameters(
    *names: str, content_type: str = "Content-Type", accept: str = "X-Amzn-SageMaker-Accept"
) -> dict[str, Parameter]:
    """Return parameters by name; ``content_type`` and ``accept`` are the operation's headers."""
    prefix = "X-Amzn-SageMaker-"
    s3_path = r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+"
    filename = r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9-_.]*"
    max_name = MAX_NAME_LENGTH
    parameters = [
        Parameter("ContentType", content_type, 1024, ASCII),
        Parameter("Accept", accept, 1024, ASCII),
        Parameter("CustomAttributes", f"{prefix}Custom-Attributes", 1024, ASCII),
        Parameter("TargetModel", f"{prefix}Target-Model", 1024, PRINTABLE),
        Parameter("TargetVariant", f"{prefix}Target-Variant", max_name, NAME),
        Parameter("TargetContainerHostname", f"{prefix}Target-Container-Hostname", max_name, NAME),
        Parameter("InferenceComponentName", f"{prefix}Inference-Component", max_name, NAME),
        Parameter("InferenceId", f"{prefix}Inference-Id", 64, PRINTABLE),
        Parameter("EnableExplanations", f"{prefix}Enable-Explanations", 64, ".*"),
        Parameter("SessionId", f"{prefix}Session-Id", 256, NAME + "|NEW_SESSION"),
        Parameter("PrefixAwareId", f"{prefix}Prefix-Aware-Id", 64, PRINTABLE),
        Parameter("InputLocation", f"{prefix}InputLocation", 1024, r"(https|s3)://([^/]+)/?(.*)"),
        Parameter("S3OutputPathExtension", f"{prefix}S3OutputPathExtension", 512, s3_path),
        Parameter("Filename", f"{prefix}Filename", 32, filename),
        Parameter("RequestTTLSeconds", f"{prefix}RequestTTLSeconds", 5, r"\d+"),
        Parameter("InvocationTimeoutSeconds", f"{prefix}InvocationTimeoutSeconds", 4, r"\d+"),
    ]
    return {parameter.name: parameter for parameter in parameters if parameter.name in names}


COMMON_NAMES = ("ContentType", "Accept", "CustomAttributes", "InferenceId")
SYNCHRONOUS_NAMES = (
    *COMMON_NAMES,
    "TargetVariant",
    "TargetContainerHostname",
    "InferenceComponentName",
    "SessionId",
    "PrefixAwareId",
)
ASYNCHRONOUS_NAMES = (
    *COMMON_NAMES,
    "InputLocation",
    "S3OutputPathExtension",
    "Filename",
    "RequestTTLSeconds",
    "InvocationTimeoutSeconds",
)
# The parameters of each operation, by name.
INVOKE_ENDPOINT = _select_parameters(
    *SYNCHRONOUS_NAMES, "TargetModel", "EnableExplanations", accept="Accept"
)
INVOKE_ENDPOINT_WITH_RESPONSE_STREAM = _select_parameters(*SYNCHRONOUS_NAMES)
INVOKE_ENDPOINT_ASYNC = _select_parameters(
    *ASYNCHRONOUS_NAMES, content_type="X-Amzn-SageMaker-Content-Type"
)

# The parameters documented to reach the container, and their headers there: contract 3.2, 3.3.
CONTAINER_HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "TargetModel": "X-Amzn-SageMaker-Target-Model",
}
# The container's headers documented to reach the caller: contract 3.8.
CALLER_HEADERS = (
    "Content-Type",
    "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-New-Session-Id",
    "X-Amzn-SageMaker-Closed-Session-Id",
)


def read_parameters(headers: Headers, parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """Return the values of a request's parameters by name.

    Raises:
        ValidationError: a value is longer than the API allows or does not match its pattern.
    """
    values = {
        name: headers[parameter.header]
        for name, parameter in parameters.items()
        if parameter.header in headers
    }
    for name, value in values.items():
        _validate(parameters[name], value)
    return values


def select_caller_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the container's headers that reach the caller."""
    return {name: headers[name] for name in CALLER_HEADERS if name in headers}


def _validate(parameter: Parameter, value: str) -> None:
    if len(value) > parameter.max_length:
        raise ValidationError(
            f"{parameter.name}: expected at most {parameter.max_length:,} characters, "
            f"got {len(value):,}"
        )
    if not re.fullmatch(parameter.pattern, value):
        raise ValidationError(
            f"{parameter.name}: expected a match of {parameter.pattern}, got {quoted(value)}"
        )
