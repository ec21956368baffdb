"""The Flask application that serves the SageMaker Runtime API for one endpoint."""

from http import HTTPStatus
from uuid import uuid4

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, SecurityError

from local_test.runtime.asynchronous import AsyncQueue
from local_test.runtime.endpoint import Endpoint
from local_test.runtime.errors import (
    AccessDenied,
    RuntimeApiError,
    UnknownOperation,
    ValidationError,
)
from local_test.runtime.operations import Operations
from local_test.same_origin import is_same_origin
from serve.text import quoted


def create_app(endpoint: Endpoint, queue: AsyncQueue) -> Flask:
    """Return the application that emulates SageMaker Runtime for one endpoint."""
    app = Flask("runtime")
    # Protects against DNS rebinding by pages in a browser.
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    app.before_request(_reject_cross_site_requests)
    app.register_error_handler(RuntimeApiError, _build_error_response)
    app.register_error_handler(HTTPException, _build_http_error_response)
    app.after_request(_add_request_id)
    operations = Operations(endpoint, queue)
    views = {
        "invocations": operations.invoke_endpoint,
        "invocations-response-stream": operations.invoke_endpoint_with_response_stream,
        "async-invocations": operations.invoke_endpoint_async,
    }
    for path, view in views.items():
        app.add_url_rule(f"/endpoints/<name>/{path}", path, view, methods=["POST"])
    return app


def _reject_cross_site_requests() -> None:
    """Raise AccessDenied for a request that a page of another web site sent."""
    if not is_same_origin(request):
        origin = request.headers.get("Origin", "another web site")
        raise AccessDenied(
            f"a page of {quoted(origin)} sent this request: only programs may use the local "
            "runtime, because any page in your browser could"
        )


def _build_error_response(error: RuntimeApiError) -> Response:
    response: Response = jsonify(error.body())
    response.status_code = error.status
    response.headers["x-amzn-ErrorType"] = error.name
    return response


def _build_http_error_response(error: HTTPException) -> Response:
    return _build_error_response(_translate(error))


def _translate(error: HTTPException) -> RuntimeApiError:
    """Return the API's error for an error of Flask or Werkzeug."""
    if isinstance(error, NotFound | MethodNotAllowed):
        return UnknownOperation(
            "expected POST /endpoints/NAME/ followed by invocations, invocations-response-stream "
            f"or async-invocations, got {request.method} {request.path}"
        )
    if isinstance(error, SecurityError):
        return ValidationError(
            f"Host: expected 127.0.0.1 or localhost, got {quoted(request.headers.get('Host', ''))}"
        )
    if error.code is not None and error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return ValidationError(str(error.description))
    return RuntimeApiError("internal error of the local runtime; see its log")


def _add_request_id(response: Response) -> Response:
    response.headers["x-amzn-RequestId"] = str(uuid4())
    return response
