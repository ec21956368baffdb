"""Sends a request to a container's /invocations, within the service's time limits."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import NoReturn

import requests
import urllib3

from local_test.runtime.container_session import get_session
from local_test.runtime.endpoint_request import EndpointRequest
from local_test.runtime.errors import TIMED_OUT, ModelError, ServiceUnavailable

RESPONSE_TIMEOUT_SECONDS = 60.0  # contract 9
STREAM_TIMEOUT_SECONDS = 480.0  # contract 7.14
READ_BYTES = 1 << 16
NO_RESPONSE = "the container closed the connection without a response"
INCOMPLETE_RESPONSE = "the connection closed before the end of the response"


@dataclass(frozen=True, slots=True)
class ContainerResponse:
    """A container's response: its status and headers, and its body as it arrives."""

    endpoint_name: str
    response: requests.Response
    deadline: float  # in seconds of time.monotonic()

    @property
    def headers(self) -> Mapping[str, str]:
        """The response headers, whose names are case-insensitive."""
        return self.response.headers

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx; any other status is an error (contract 3.10)."""
        return 200 <= self.response.status_code < 300

    def iterate_body(self) -> Iterator[bytes]:
        """Yield the parts of the body as they arrive.

        Raises:
            ModelError: the connection closes early, or the deadline passes.
        """
        try:
            while data := self.response.raw.read1(READ_BYTES):
                if time.monotonic() > self.deadline:
                    raise ModelError(self.endpoint_name, 0, TIMED_OUT)
                yield data
        except (TimeoutError, urllib3.exceptions.TimeoutError) as error:
            raise ModelError(self.endpoint_name, 0, TIMED_OUT) from error
        except (OSError, urllib3.exceptions.HTTPError) as error:
            status = self.response.status_code
            raise ModelError(self.endpoint_name, status, INCOMPLETE_RESPONSE) from error

    def read_body(self) -> bytes:
        """Return the whole body.

        Raises:
            ModelError: as iterate_body, or the status is not 2xx.
        """
        body = b"".join(self.iterate_body())
        if not self.is_success:
            message = body.decode("utf-8", "replace").strip()
            raise ModelError(self.endpoint_name, self.response.status_code, message)
        return body


@contextmanager
def invoke_container(
    request: EndpointRequest, timeout_seconds: float, stream_timeout_seconds: float | None = None
) -> Iterator[ContainerResponse]:
    """Post a request to its variant's container; yield the response once its headers arrive.

    Args:
        request: the container gets its ``container_headers`` and those that HTTP requires.
        timeout_seconds: the longest wait for the headers, and between parts of the body.
        stream_timeout_seconds: the longest time until the end of the body; by default
            ``timeout_seconds``.

    Raises:
        ModelError: the container sends no response in time, or sends something other than HTTP.
        ServiceUnavailable: the container accepts no connection.
    """
    deadline = time.monotonic() + (stream_timeout_seconds or timeout_seconds)
    try:
        response = get_session().post(
            f"{request.variant.url}/invocations",
            data=request.payload,
            headers=request.container_headers,
            stream=True,
            timeout=timeout_seconds,
            allow_redirects=False,
        )
    except requests.ReadTimeout as error:
        raise ModelError(request.endpoint_name, 0, TIMED_OUT) from error
    except requests.ConnectionError as error:
        _raise_connection_error(request, error)
    with closing(response):
        yield ContainerResponse(request.endpoint_name, response, deadline)


def _raise_connection_error(request: EndpointRequest, error: requests.ConnectionError) -> NoReturn:
    """Raise ModelError if the connection was established before it failed.

    Otherwise raise ServiceUnavailable.
    """
    cause = error.args[0] if error.args else None
    if not isinstance(cause, urllib3.exceptions.ProtocolError):
        raise ServiceUnavailable(
            f"the container of endpoint {request.endpoint_name} accepts no connections "
            f"at {request.variant.url}"
        ) from error
    timed_out = isinstance(cause.args[-1], TimeoutError)
    raise ModelError(request.endpoint_name, 0, TIMED_OUT if timed_out else NO_RESPONSE) from error
