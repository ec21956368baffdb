"""The three operations of the SageMaker Runtime API, for one endpoint."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus

from flask import Response, jsonify, request

from local_test.runtime import event_stream
from local_test.runtime.asynchronous import MAX_INLINE_BYTES, AsyncQueue
from local_test.runtime.container_client import ContainerResponse, invoke_container
from local_test.runtime.endpoint import Endpoint
from local_test.runtime.endpoint_request import EndpointRequest
from local_test.runtime.errors import ACCOUNT_ID, ModelError, ValidationError
from local_test.runtime.parameters import (
    INVOKE_ENDPOINT,
    INVOKE_ENDPOINT_ASYNC,
    INVOKE_ENDPOINT_WITH_RESPONSE_STREAM,
    Parameter,
    read_parameters,
    select_caller_headers,
)
from local_test.runtime.request_body import read_request_body
from local_test.runtime.variants import choose_variant

INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"
UNSUPPORTED_PARAMETERS = {
    "InferenceComponentName",
    "TargetContainerHostname",
    "SessionId",
    "EnableExplanations",
}


@dataclass(frozen=True, slots=True)
class Operations:
    """Turns each operation's HTTP request into a POST to a container's /invocations."""

    endpoint: Endpoint
    queue: AsyncQueue

    def invoke_endpoint(self, name: str) -> Response:
        """Respond to InvokeEndpoint."""
        endpoint_request = self._read_request(name, INVOKE_ENDPOINT, self.endpoint.max_body_bytes)
        timeout_seconds = self.endpoint.response_timeout_seconds
        with invoke_container(endpoint_request, timeout_seconds) as response:
            body = response.read_body()
            headers = select_caller_headers(response.headers)
        self._check_response_size(body)
        if self.endpoint.data_capture:
            self.endpoint.data_capture.write(endpoint_request, body, headers.get("Content-Type"))
        headers[INVOKED_VARIANT] = endpoint_request.variant.name
        return _build_response(body, headers)

    def invoke_endpoint_with_response_stream(self, name: str) -> Response:
        """Respond to InvokeEndpointWithResponseStream."""
        endpoint_request = self._read_request(
            name, INVOKE_ENDPOINT_WITH_RESPONSE_STREAM, self.endpoint.max_body_bytes
        )
        invocation = invoke_container(
            endpoint_request,
            self.endpoint.response_timeout_seconds,
            self.endpoint.stream_timeout_seconds,
        )
        with ExitStack() as stack:
            container_response = stack.enter_context(invocation)
            if not container_response.is_success:
                container_response.read_body()  # raises ModelError
            headers = select_caller_headers(container_response.headers)
            headers["X-Amzn-SageMaker-Content-Type"] = headers.pop("Content-Type", "")
            headers["Content-Type"] = event_stream.MEDIA_TYPE
            headers[INVOKED_VARIANT] = endpoint_request.variant.name
            response = _build_response(_encode_events(container_response), headers)
            response.call_on_close(stack.pop_all().close)
        return response

    def invoke_endpoint_async(self, name: str) -> Response:
        """Respond to InvokeEndpointAsync."""
        endpoint_request = self._read_request(name, INVOKE_ENDPOINT_ASYNC, MAX_INLINE_BYTES)
        accepted = self.queue.submit(endpoint_request)
        response = jsonify(InferenceId=accepted.inference_id)
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["X-Amzn-SageMaker-OutputLocation"] = accepted.output_location
        response.headers["X-Amzn-SageMaker-FailureLocation"] = accepted.failure_location
        return response

    def _read_request(
        self, endpoint_name: str, parameters: Mapping[str, Parameter], max_body_bytes: int
    ) -> EndpointRequest:
        """Read and validate the current HTTP request; raises ValidationError."""
        payload = read_request_body(max_body_bytes)
        if endpoint_name != self.endpoint.name:
            raise ValidationError(
                f"Endpoint {endpoint_name} of account {ACCOUNT_ID} not found. "
                f"The only endpoint of this local runtime is {self.endpoint.name}."
            )
        values = read_parameters(request.headers, parameters)
        for name in UNSUPPORTED_PARAMETERS & values.keys():
            raise ValidationError(f"{name}: not supported by this local runtime; remove it")
        variant = choose_variant(self.endpoint.variants, values.get("TargetVariant"))
        return EndpointRequest(endpoint_name, variant, values, payload)

    def _check_response_size(self, body: bytes) -> None:
        """Raise ModelError if the body is longer than the endpoint's limit."""
        max_bytes = self.endpoint.max_body_bytes
        if len(body) > max_bytes:
            message = f"expected a response of at most {max_bytes:,} bytes, got {len(body):,} bytes"
            raise ModelError(self.endpoint.name, HTTPStatus.OK, message)


def _encode_events(response: ContainerResponse) -> Iterator[bytes]:
    """Yield the messages of the event stream; a stream that fails ends with ModelStreamError."""
    try:
        for part in response.iterate_body():
            yield event_stream.encode_payload_part(part)
    except ModelError as error:
        code = "StreamBroken" if error.original_status else "ModelInvocationTimeExceeded"
        members = {"Message": str(error), "ErrorCode": code}
        yield event_stream.encode_exception("ModelStreamError", members)


def _build_response(body: bytes | Iterator[bytes], headers: Mapping[str, str]) -> Response:
    response = Response(body)
    response.headers.remove("Content-Type")  # Flask's default; the container may have sent none
    response.headers.update(headers)
    return response
