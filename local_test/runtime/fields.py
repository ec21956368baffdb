"""The fields that the API takes from a request's headers, and those of them that reach the container."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import Headers

from local_test.runtime.failures import ValidationError

NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"
PRINTABLE = r"[!-~][ -~]*"
ASCII = r"[\t -~]*"  # of ASCII, what a header can hold


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the API: its name in clients, its header, and what it may hold."""

    name: str
    header: str
    longest: int
    pattern: str


def _fields(
    *names: str, content_type: str = "Content-Type", accept: str = "X-Amzn-SageMaker-Accept"
) -> dict[str, Field]:
    fields = [
        Field("ContentType", content_type, 1024, ASCII),
        Field("Accept", accept, 1024, ASCII),
        Field("CustomAttributes", "X-Amzn-SageMaker-Custom-Attributes", 1024, ASCII),
        Field("TargetModel", "X-Amzn-SageMaker-Target-Model", 1024, PRINTABLE),
        Field("TargetVariant", "X-Amzn-SageMaker-Target-Variant", 63, NAME),
        Field("TargetContainerHostname", "X-Amzn-SageMaker-Target-Container-Hostname", 63, NAME),
        Field("InferenceComponentName", "X-Amzn-SageMaker-Inference-Component", 63, NAME),
        Field("InferenceId", "X-Amzn-SageMaker-Inference-Id", 64, PRINTABLE),
        Field("EnableExplanations", "X-Amzn-SageMaker-Enable-Explanations", 64, ".*"),
        Field("SessionId", "X-Amzn-SageMaker-Session-Id", 256, NAME + "|NEW_SESSION"),
        Field("PrefixAwareId", "X-Amzn-SageMaker-Prefix-Aware-Id", 64, PRINTABLE),
        Field(
            "InputLocation", "X-Amzn-SageMaker-InputLocation", 1024, r"(https|s3)://([^/]+)/?(.*)"
        ),
        Field(
            "S3OutputPathExtension",
            "X-Amzn-SageMaker-S3OutputPathExtension",
            512,
            r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+",
        ),
        Field(
            "Filename", "X-Amzn-SageMaker-Filename", 32, r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9-_.]*"
        ),
        Field("RequestTTLSeconds", "X-Amzn-SageMaker-RequestTTLSeconds", 5, r"\d+"),
        Field("InvocationTimeoutSeconds", "X-Amzn-SageMaker-InvocationTimeoutSeconds", 4, r"\d+"),
    ]
    return {field.name: field for field in fields if field.name in names}


COMMON = ("ContentType", "Accept", "CustomAttributes", "InferenceId")
IN_TIME = (
    *COMMON,
    "TargetVariant",
    "TargetContainerHostname",
    "InferenceComponentName",
    "SessionId",
    "PrefixAwareId",
)
LATER = (
    *COMMON,
    "InputLocation",
    "S3OutputPathExtension",
    "Filename",
    "RequestTTLSeconds",
    "InvocationTimeoutSeconds",
)
OF_INVOCATION = _fields(*IN_TIME, "TargetModel", "EnableExplanations", accept="Accept")
OF_STREAM = _fields(*IN_TIME)
OF_ASYNC = _fields(*LATER, content_type="X-Amzn-SageMaker-Content-Type")

# What is documented to reach the container, under the names that it has there; all else is stripped: contract 3.2, 3.3.
PASSED_ON = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "TargetModel": "X-Amzn-SageMaker-Target-Model",
}
# And what comes back from it: contract 3.8.
PASSED_BACK = (
    "Content-Type",
    "X-Amzn-SageMaker-Custom-Attributes",
    "X-Amzn-SageMaker-New-Session-Id",
    "X-Amzn-SageMaker-Closed-Session-Id",
)


def read_fields(headers: Headers, fields: Mapping[str, Field]) -> dict[str, str]:
    """Return the API's fields of a request by their names; raises ValidationError for one that the API would not take."""
    values = {
        name: headers[field.header] for name, field in fields.items() if field.header in headers
    }
    for name, value in values.items():
        if len(value) > fields[name].longest:
            raise ValidationError(
                f"{name}: {len(value):,} characters, where the API takes {fields[name].longest:,} at most"
            )
        if not re.fullmatch(fields[name].pattern, value):
            raise ValidationError(
                f"{name}: {value!r} does not match what the API takes: {fields[name].pattern}"
            )
    return values


def headers_for_caller(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those of the container's headers that reach the caller."""
    return {name: headers[name] for name in PASSED_BACK if name in headers}
