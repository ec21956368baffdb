"""Asynchronous inference: requests are queued, responses become objects (contract 7.1 to 7.5)."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from local_test.runtime.container_client import ContainerResponse, invoke_container
from local_test.runtime.endpoint_request import EndpointRequest
from local_test.runtime.errors import ModelError, RuntimeApiError, ValidationError
from local_test.runtime.local_s3 import LocalS3, S3Error

LOG = logging.getLogger(__name__)
OUTPUT_URI = "s3://sagemaker-local/async-output"
FAILURE_URI = "s3://sagemaker-local/async-failures"
MAX_INLINE_BYTES = 128_000
MAX_OBJECT_BYTES = 1 << 30
MAX_HEADERS_BYTES = 4096
# AWS's own wording.
NO_CONTENT_LENGTH = (
    "The response from container primary did not specify the required Content-Length header"
)
HEADERS_TOO_LONG = (
    "Response received from the primary container has headers with length greater than "
    f"{MAX_HEADERS_BYTES} bytes"
)


@dataclass(frozen=True, slots=True)
class DurationLimits:
    """The values that a parameter in seconds accepts, and its default."""

    minimum: int
    maximum: int
    default: int


DURATIONS = {
    "RequestTTLSeconds": DurationLimits(60, 21_600, default=21_600),
    "InvocationTimeoutSeconds": DurationLimits(1, 3_600, default=900),
}


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """The id of a queued request, and the S3 URIs of its future response or error message."""

    inference_id: str
    output_location: str
    failure_location: str


@dataclass(frozen=True, slots=True)
class AsyncQueue:
    """Processes four requests at a time; requests still queued when the runtime stops are lost."""

    s3: LocalS3
    threads: ThreadPoolExecutor = field(
        default_factory=partial(ThreadPoolExecutor, max_workers=4, thread_name_prefix="async")
    )

    def stop(self) -> None:
        """Drop the queued requests."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    def submit(self, request: EndpointRequest) -> AcceptedRequest:
        """Queue a request; raises ValidationError."""
        parameters = request.parameters
        if bool(request.payload) == ("InputLocation" in parameters):
            got = "both" if request.payload else "neither"
            raise ValidationError(f"expected exactly one of InputLocation and a body, got {got}")
        ttl_seconds = _read_duration("RequestTTLSeconds", parameters)
        timeout_seconds = _read_duration("InvocationTimeoutSeconds", parameters)
        accepted = _accept(parameters)
        self._validate_uri(accepted.output_location)
        expires_at = time.monotonic() + ttl_seconds
        self.threads.submit(self._process, request, accepted, expires_at, timeout_seconds)
        return accepted

    def _process(
        self,
        request: EndpointRequest,
        accepted: AcceptedRequest,
        expires_at: float,
        timeout_seconds: float,
    ) -> None:
        try:
            if time.monotonic() > expires_at:
                raise RuntimeApiError("the request was queued longer than its RequestTTLSeconds")
            if uri := request.parameters.get("InputLocation"):
                request = request.with_payload(self.s3.read(uri, MAX_OBJECT_BYTES))
            with invoke_container(request, timeout_seconds) as response:
                body = _read_body(response)
            self.s3.write(accepted.output_location, body)
        except (RuntimeApiError, S3Error, OSError) as error:
            self._write_failure(accepted, str(error))
        except Exception:
            LOG.exception("asynchronous request %s failed", accepted.inference_id)
            self._write_failure(accepted, "internal error of the local runtime; see its log")

    def _write_failure(self, accepted: AcceptedRequest, message: str) -> None:
        try:
            self.s3.write(accepted.failure_location, f"{message}\n".encode())
        except OSError:
            LOG.exception("asynchronous request %s failed: %s", accepted.inference_id, message)

    def _validate_uri(self, uri: str) -> None:
        try:
            self.s3.path(uri)
        except S3Error as error:
            raise ValidationError(str(error)) from error


def _read_duration(name: str, parameters: Mapping[str, str]) -> int:
    limits = DURATIONS[name]
    seconds = int(parameters.get(name, limits.default))
    if not limits.minimum <= seconds <= limits.maximum:
        raise ValidationError(
            f"{name}: expected {limits.minimum} to {limits.maximum:,} seconds, got {seconds:,}"
        )
    return seconds


def _accept(parameters: Mapping[str, str]) -> AcceptedRequest:
    request_id = str(uuid4())
    extension = parameters.get("S3OutputPathExtension", "").strip("/")
    folder = f"{OUTPUT_URI}/{extension}" if extension else OUTPUT_URI
    filename = parameters.get("Filename", f"{request_id}.out")
    return AcceptedRequest(
        inference_id=parameters.get("InferenceId", request_id),
        output_location=f"{folder}/{filename}",
        failure_location=f"{FAILURE_URI}/{request_id}-error.out",
    )


def _read_body(response: ContainerResponse) -> bytes:
    """Return the body; raises ModelError if asynchronous inference rejects the headers."""
    body = response.read_body()
    headers = response.headers
    if "Content-Length" not in headers:
        raise ModelError(response.endpoint_name, 0, NO_CONTENT_LENGTH)
    header_lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    if sum(map(len, header_lines)) > MAX_HEADERS_BYTES:
        raise ModelError(response.endpoint_name, 0, HEADERS_TOO_LONG)
    return body
