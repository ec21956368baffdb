"""An endpoint behind the SageMaker runtime's API, on AWS or on this machine: invoke_endpoint, with boto3."""

import threading
from dataclasses import replace
from http.client import responses
from typing import Any
from urllib.parse import urlsplit

from local_test.app.endpoint import (
    EndpointTimeout,
    EndpointUnreachable,
    Exchange,
    Headers,
    InvalidResponse,
    accepted,
    refusal,
)

CONNECT_SECONDS = 5.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_HEADERS = ("authorization", "x-amz-security-token")
SHOWN_OF_SECRETS = 24


class ClientUnavailable(Exception):
    """There is no client of the runtime: boto3 is not installed, or not configured."""


class RuntimeEndpoint:
    """The endpoint ``name`` of the SageMaker runtime at ``url``, by default that of the AWS account and region in use."""

    def __init__(self, name: str, url: str | None, timeout_seconds: float) -> None:
        self.place = f"{url or 'SageMaker on AWS'}, endpoint {name}"
        self._name = name
        self._timeout_seconds = timeout_seconds
        self._botocore, self._client = _client(url, timeout_seconds)
        self._sent = threading.local()
        self._client.meta.events.register(
            "before-send.sagemaker-runtime.InvokeEndpoint", self._note
        )

    def invoke(self, payload: bytes, content_type: str, accept: str) -> Exchange:
        """Send a payload, and return the exchange, whose status is 200; raises EndpointError."""
        errors = self._botocore.exceptions
        self._sent.exchange = Exchange("POST", self.place, (), payload)
        try:
            reply = self._client.invoke_endpoint(
                EndpointName=self._name, Body=payload, ContentType=content_type, Accept=accept
            )
            return accepted(
                _received(self._sent.exchange, reply["ResponseMetadata"], reply["Body"].read())
            )
        except errors.ClientError as error:
            raise _refused(self._sent.exchange, error.response) from error
        except (errors.ReadTimeoutError, errors.ConnectTimeoutError) as error:
            raise EndpointTimeout(
                f"No reply from {self.place} within {self._timeout_seconds:g} seconds.",
                self._sent.exchange,
            ) from error
        except (errors.ResponseStreamingError, errors.IncompleteReadError) as error:
            raise InvalidResponse(
                "The reply broke off before its end.", self._sent.exchange
            ) from error
        except errors.BotoCoreError as error:
            raise EndpointUnreachable(
                f"boto3 does not reach {self.place}: {error}", self._sent.exchange
            ) from error

    def _note(self, request: Any, **_: object) -> None:
        """Write down the request as it is signed and about to be sent, for this thread's invocation."""
        headers = shown(request.headers.items())
        self._sent.exchange = replace(
            self._sent.exchange, method=request.method, url=request.url, request_headers=headers
        )


def shown(headers: Any) -> Headers:
    """Return headers as text, those that prove who is calling cut short."""
    return tuple(
        (name, _shortened(value) if name.lower() in SECRET_HEADERS else _text(value))
        for name, value in headers
    )


def _shortened(value: str | bytes) -> str:
    return f"{_text(value)[:SHOWN_OF_SECRETS]}… (shortened)"


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _received(exchange: Exchange, metadata: dict[str, Any], body: bytes) -> Exchange:
    status = metadata["HTTPStatusCode"]
    headers = tuple(metadata["HTTPHeaders"].items())
    return replace(
        exchange,
        status=status,
        reason=responses.get(status, ""),
        response_headers=headers,
        response_body=body,
    )


def _refused(exchange: Exchange, response: dict[str, Any]) -> Exception:
    """Return the failure that the runtime's error tells: the container's own line where there is one."""
    body = str(response.get("OriginalMessage") or response["Error"].get("Message", ""))
    received = _received(exchange, response["ResponseMetadata"], body.encode())
    status = int(response.get("OriginalStatusCode") or received.status)
    failure = refusal(received, status, body.encode())
    if not response.get("OriginalMessage"):
        failure.args = (f"{response['Error'].get('Code', '')}: {body}",)
    return failure


def _client(url: str | None, timeout_seconds: float) -> tuple[Any, Any]:
    try:
        import boto3  # noqa: PLC0415  # an optional group, which only this way needs
        import botocore.config  # noqa: PLC0415  # the same
        import botocore.exceptions  # noqa: PLC0415  # the same
    except ImportError as error:
        raise ClientUnavailable(
            "the way through the runtime needs boto3: make deploy-setup installs it"
        ) from error
    # One attempt, so that the page tells what happened, not what happened last.
    config = botocore.config.Config(
        connect_timeout=min(CONNECT_SECONDS, timeout_seconds),
        read_timeout=timeout_seconds,
        retries={"total_max_attempts": 1},
    )
    local = url is not None and urlsplit(url).hostname in LOOPBACK
    # The local runtime checks no signature, but boto3 signs in any case.
    keys = (
        {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
        if local
        else {}
    )
    try:
        return botocore, boto3.client("sagemaker-runtime", endpoint_url=url, config=config, **keys)
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        where = (
            ""
            if url
            else " Without ENDPOINT it is AWS’s own; that of make runtime is ENDPOINT=http://127.0.0.1:8090"
        )
        raise ClientUnavailable(f"boto3 makes no client of the runtime: {error}{where}") from error
