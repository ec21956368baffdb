"""Invoke an endpoint with boto3, through the SageMaker Runtime API of AWS or an emulator."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from http.client import responses
from typing import Any
from urllib.parse import urlsplit

from local_test.app.endpoints.endpoint import (
    EndpointTimeout,
    EndpointUnreachable,
    ErrorResponse,
    Exchange,
    Headers,
    InvalidResponse,
    build_error_response,
    check_status,
    escape_surrogates,
)

CONNECT_TIMEOUT_SECONDS = 5.0
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
SECRET_HEADERS = ("authorization", "x-amz-security-token")
SHOWN_SECRET_CHARACTERS = 24
# boto3 signs every request, but the local emulator does not check the signature.
LOCAL_CREDENTIALS = {
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
    "region_name": "us-east-1",
}


class ClientUnavailable(Exception):
    """boto3 is not installed or not configured."""


class RuntimeEndpoint:
    """The endpoint ``name`` behind the SageMaker Runtime API at ``url``; None means AWS."""

    def __init__(self, name: str, url: str | None, timeout_seconds: float) -> None:
        self.address = f"{url or 'SageMaker on AWS'}, endpoint {name}"
        self._name = name
        self._timeout_seconds = timeout_seconds
        self._botocore, self._client = _create_client(url, timeout_seconds)
        self._thread = threading.local()
        self._client.meta.events.register(
            "before-send.sagemaker-runtime.InvokeEndpoint", self._record_request
        )

    def invoke(self, payload: bytes, content_type: str, accept: str) -> Exchange:
        """Send a payload and return the exchange, whose status is 200; raises EndpointError."""
        errors = self._botocore.exceptions
        self._thread.exchange = Exchange("POST", self.address, (), payload)
        try:
            response = self._client.invoke_endpoint(
                EndpointName=self._name, Body=payload, ContentType=content_type, Accept=accept
            )
            body = response["Body"].read()
            return check_status(
                _add_response(self._thread.exchange, response["ResponseMetadata"], body)
            )
        except errors.ClientError as error:
            raise _convert_client_error(self._thread.exchange, error.response) from error
        except (errors.ReadTimeoutError, errors.ConnectTimeoutError) as error:
            raise EndpointTimeout(
                f"{self.address} did not respond within {self._timeout_seconds:g} seconds.",
                self._thread.exchange,
            ) from error
        except (errors.ResponseStreamingError, errors.IncompleteReadError) as error:
            raise InvalidResponse(
                "The connection closed before the response was complete.", self._thread.exchange
            ) from error
        except errors.BotoCoreError as error:
            raise EndpointUnreachable(
                f"boto3 cannot reach {self.address}: {error}", self._thread.exchange
            ) from error

    def _record_request(self, request: Any, **_: object) -> None:
        """Store the signed request, just before botocore sends it, in this thread's exchange."""
        self._thread.exchange = replace(
            self._thread.exchange,
            method=request.method,
            url=request.url,
            request_headers=redact_headers(request.headers.items()),
        )


def redact_headers(headers: Iterable[tuple[str, str | bytes]]) -> Headers:
    """Return the headers as text, with the values that contain credentials cut short."""
    return tuple((name, _redact_value(name, _decode(value))) for name, value in headers)


def _redact_value(name: str, value: str) -> str:
    if name.lower() in SECRET_HEADERS:
        return f"{value[:SHOWN_SECRET_CHARACTERS]}… (shortened)"
    return value


def _decode(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _add_response(exchange: Exchange, metadata: dict[str, Any], body: bytes) -> Exchange:
    status = metadata["HTTPStatusCode"]
    headers = tuple(metadata["HTTPHeaders"].items())
    return replace(
        exchange,
        status=status,
        reason=responses.get(status, ""),
        response_headers=headers,
        response_body=body,
    )


def _convert_client_error(exchange: Exchange, response: dict[str, Any]) -> ErrorResponse:
    """Return the error for a botocore ClientError, with the container's own message if present."""
    original = response.get("OriginalMessage")
    body = escape_surrogates(str(original or response["Error"].get("Message", "")))
    received = _add_response(exchange, response["ResponseMetadata"], body.encode())
    status = int(response.get("OriginalStatusCode") or received.status)
    error = build_error_response(received, status, body.encode())
    if not response.get("OriginalMessage"):
        error.args = (f"{response['Error'].get('Code', '')}: {body}",)
    return error


def _create_client(url: str | None, timeout_seconds: float) -> tuple[Any, Any]:
    """Return botocore and a client of the SageMaker Runtime API; raises ClientUnavailable."""
    try:
        import boto3  # noqa: PLC0415  # optional: only --via runtime needs it
        import botocore.config  # noqa: PLC0415  # the same
        import botocore.exceptions  # noqa: PLC0415  # the same
    except ImportError as error:
        raise ClientUnavailable(
            "--via runtime requires boto3: “make deploy-setup” installs it"
        ) from error
    # No retries: the page shows the one request that was sent, and its outcome.
    config = botocore.config.Config(
        connect_timeout=min(CONNECT_TIMEOUT_SECONDS, timeout_seconds),
        read_timeout=timeout_seconds,
        retries={"total_max_attempts": 1},
    )
    is_local = url is not None and urlsplit(url).hostname in LOOPBACK_HOSTS
    credentials = LOCAL_CREDENTIALS if is_local else {}
    try:
        return botocore, boto3.client(
            "sagemaker-runtime", endpoint_url=url, config=config, **credentials
        )
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise ClientUnavailable(_describe_client_error(error, url)) from error


def _describe_client_error(error: Exception, url: str | None) -> str:
    message = f"boto3 cannot create a SageMaker Runtime client: {error}"
    if url:
        return message
    return (
        f"{message} Without ENDPOINT, requests go to AWS; "
        "for the server that “make runtime” starts, set ENDPOINT=http://127.0.0.1:8090"
    )
