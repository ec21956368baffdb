"""The API over HTTP: three operations of SageMaker Runtime, each turned into a POST to a container's /invocations."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from uuid import uuid4

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, SecurityError

from local_test.runtime import event_stream
from local_test.runtime.asynchronous import LONGEST_INLINE_BYTES, AsyncQueue
from local_test.runtime.capture import Capture
from local_test.runtime.container_call import REPLY_SECONDS, STREAM_SECONDS, Answer, calling
from local_test.runtime.failures import (
    ACCOUNT,
    ModelError,
    RuntimeFailure,
    UnknownOperation,
    ValidationError,
)
from local_test.runtime.fields import (
    OF_ASYNC,
    OF_INVOCATION,
    OF_STREAM,
    Field,
    headers_for_caller,
    read_fields,
)
from local_test.runtime.invocation import Invocation
from local_test.runtime.store import Store
from local_test.runtime.variants import Variant, chosen

INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"
NOT_HERE = {"InferenceComponentName", "TargetContainerHostname", "SessionId", "EnableExplanations"}
DISCARD_BYTES = 1 << 16
LONGEST_DISCARDED_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the runtime serves: an endpoint's name, its variants, its limits, and where its files go."""

    name: str
    variants: Sequence[Variant]
    store: Store
    max_body_bytes: int = 6 << 20
    reply_seconds: float = REPLY_SECONDS
    stream_seconds: float = STREAM_SECONDS
    capture: Capture | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """The operations, for one endpoint."""

    endpoint: Endpoint
    queue: AsyncQueue

    def invoke(self, name: str) -> Response:
        """Answer InvokeEndpoint."""
        invocation = self._read(name, OF_INVOCATION, self.endpoint.max_body_bytes)
        with calling(invocation, self.endpoint.reply_seconds) as answer:
            reply = self._within_limit(answer.body())
            headers = headers_for_caller(answer.response.headers)
        if self.endpoint.capture:
            self.endpoint.capture.write(invocation, reply, headers.get("Content-Type"))
        return _response(reply, headers | {INVOKED_VARIANT: invocation.variant.name})

    def invoke_with_response_stream(self, name: str) -> Response:
        """Answer InvokeEndpointWithResponseStream."""
        invocation = self._read(name, OF_STREAM, self.endpoint.max_body_bytes)
        call = calling(invocation, self.endpoint.reply_seconds, self.endpoint.stream_seconds)
        with ExitStack() as opened:
            answer = opened.enter_context(call)
            if not answer.is_success:
                answer.body()
            headers = headers_for_caller(answer.response.headers)
            headers["X-Amzn-SageMaker-Content-Type"] = headers.pop("Content-Type", "")
            response = _response(
                _messages(answer),
                headers
                | {
                    "Content-Type": event_stream.MEDIA_TYPE,
                    INVOKED_VARIANT: invocation.variant.name,
                },
            )
            response.call_on_close(opened.pop_all().close)
        return response

    def invoke_async(self, name: str) -> Response:
        """Answer InvokeEndpointAsync."""
        accepted = self.queue.accept(self._read(name, OF_ASYNC, LONGEST_INLINE_BYTES))
        response = jsonify(InferenceId=accepted.inference_id)
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["X-Amzn-SageMaker-OutputLocation"] = accepted.output
        response.headers["X-Amzn-SageMaker-FailureLocation"] = accepted.failure
        return response

    def _read(self, name: str, known: Mapping[str, Field], max_body_bytes: int) -> Invocation:
        """Return what the request asks for; raises ValidationError."""
        payload = _body(max_body_bytes)
        if name != self.endpoint.name:
            here = f"This local runtime has one, called {self.endpoint.name}."
            raise ValidationError(f"Endpoint {name} of account {ACCOUNT} not found. {here}")
        fields = read_fields(request.headers, known)
        for unsupported in NOT_HERE & fields.keys():
            raise ValidationError(
                f"{unsupported}: this local runtime has no such thing; leave it out"
            )
        return Invocation(
            name, chosen(self.endpoint.variants, fields.get("TargetVariant")), fields, payload
        )

    def _within_limit(self, reply: bytes) -> bytes:
        if len(reply) > self.endpoint.max_body_bytes:
            said = f"the reply has {len(reply):,} bytes, of which a caller gets {self.endpoint.max_body_bytes:,} at most"
            raise ModelError(self.endpoint.name, HTTPStatus.OK, said)
        return reply


def application(endpoint: Endpoint, queue: AsyncQueue) -> Flask:
    """Return the application that answers as SageMaker Runtime does for this one endpoint."""
    app = Flask("runtime")
    app.config["TRUSTED_HOSTS"] = [
        "127.0.0.1",
        "localhost",
    ]  # a page in a browser cannot reach it under a name of its own
    app.register_error_handler(RuntimeFailure, _failure)
    app.register_error_handler(HTTPException, _http_failure)
    app.after_request(_with_request_id)
    operations = Gateway(endpoint, queue)
    for path, view in (
        ("invocations", operations.invoke),
        ("invocations-response-stream", operations.invoke_with_response_stream),
        ("async-invocations", operations.invoke_async),
    ):
        app.add_url_rule(f"/endpoints/<name>/{path}", path, view, methods=["POST"])
    return app


def _body(longest: int) -> bytes:
    """Return the request's body; reads a longer one to its end, since its sender listens only then; raises ValidationError."""
    try:
        body = request.stream.read(longest + 1)
    except (OSError, ValueError) as error:
        raise ValidationError(f"Body: it broke off: {error}") from error
    if len(body) <= longest:
        _check_length(len(body))
        return body
    came = len(body)
    while came < LONGEST_DISCARDED_BYTES and (more := request.stream.read(DISCARD_BYTES)):
        came += len(more)
    raise ValidationError(f"Body: {came:,} bytes, where this operation takes {longest:,} at most.")


def _check_length(came: int) -> None:
    """Refuse a body that is not what its headers say; raises ValidationError."""
    said, encoding = (
        request.headers.get("Content-Length"),
        request.headers.get("Transfer-Encoding", "chunked"),
    )
    if encoding.lower() != "chunked":
        raise ValidationError(f"Transfer-Encoding: {encoding} is not read here, only chunked is")
    if said is not None and said != str(came):
        raise ValidationError(f"Body: {came:,} bytes came, where Content-Length said {said!r}")


def _messages(answer: Answer) -> Iterator[bytes]:
    try:
        for part in answer.parts():
            yield event_stream.part(part)
    except ModelError as error:
        code = "StreamBroken" if error.original_status else "ModelInvocationTimeExceeded"
        yield event_stream.exception("ModelStreamError", {"Message": str(error), "ErrorCode": code})


def _response(body: bytes | Iterator[bytes], headers: Mapping[str, str]) -> Response:
    response = Response(body)
    response.headers.remove("Content-Type")  # a container may have said none
    response.headers.update(headers)
    return response


def _failure(failure: RuntimeFailure) -> Response:
    response: Response = jsonify(failure.body())
    response.status_code = failure.status
    response.headers["x-amzn-ErrorType"] = failure.name
    return response


def _http_failure(error: HTTPException) -> Response:
    if isinstance(error, NotFound | MethodNotAllowed):
        operations = (
            "/endpoints/NAME/ and invocations, invocations-response-stream or async-invocations"
        )
        return _failure(
            UnknownOperation(
                f"No operation is {request.method} {request.path}: POST to {operations}."
            )
        )
    if isinstance(error, SecurityError):
        return _failure(
            ValidationError("This local runtime answers only under 127.0.0.1 and localhost.")
        )
    if error.code is not None and error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _failure(ValidationError(str(error.description)))
    return _failure(RuntimeFailure("The local runtime failed; its log tells more."))


def _with_request_id(response: Response) -> Response:
    response.headers["x-amzn-RequestId"] = str(uuid4())
    return response
