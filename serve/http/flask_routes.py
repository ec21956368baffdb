"""The complete front end: Flask routes for /ping, /invocations and /execution-parameters.

Source: contract 2.1 to 2.5, 3.1 and 5.2.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from threading import BoundedSemaphore

from flask import Blueprint, Request, Response, g, request

from serve.http.body import read_body
from serve.http.caller import Caller, SocketCaller
from serve.http.messages import (
    CUSTOM_ATTRIBUTES,
    REQUEST_ID,
    HttpRequest,
    HttpResponse,
    echo_custom_attributes,
)
from serve.http.responder import Responder
from serve.media.types import JSON

# With more, each thread waits longer for the GIL: with 100, a short invocation took up to 7 s.
MIN_TURNS = 2


def build_blueprint(
    responder: Responder, execution_parameters: Mapping[str, int], threads: int
) -> Blueprint:
    """Return the routes, whose views read the request from ``g.http_request``.

    At most ``threads`` long invocations are computed at a time; short ones never wait.
    """
    blueprint = Blueprint("sagemaker", __name__)
    turns = BoundedSemaphore(max(MIN_TURNS, threads))

    def respond(http_request: HttpRequest, body: bytes) -> HttpResponse:
        if responder.should_run_inline(http_request, body):
            return responder.respond(http_request, body)
        with responder.in_flight, turns:
            return responder.respond(http_request, body)

    @blueprint.route("/ping", methods=["GET", "POST"], provide_automatic_options=False)
    def ping() -> Response:
        return to_flask_response(HttpResponse(200, echo_custom_attributes(g.http_request)))

    @blueprint.route("/invocations", methods=["POST"], provide_automatic_options=False)
    def invoke() -> Response:
        reservation = responder.reserve(g.http_request)
        with ExitStack() as stack:
            stack.callback(reservation.release)
            body = read_body(request, responder.max_payload_bytes, reservation)
            response = respond(g.http_request, body)
            if response.chunks is None:
                reservation.release_payload(response.content_length)
            flask_response = to_flask_response(response)
            flask_response.call_on_close(stack.pop_all().close)
        return flask_response

    @blueprint.route("/execution-parameters", methods=["GET"], provide_automatic_options=False)
    def get_execution_parameters() -> Response:
        body = json.dumps(dict(execution_parameters)).encode() + b"\n"
        return to_flask_response(HttpResponse(200, (("Content-Type", JSON),), body))

    return blueprint


def from_flask_request(flask_request: Request) -> HttpRequest:
    """Return a Flask request as the front ends' common type."""
    headers = flask_request.headers
    accepts_chunked = flask_request.environ["SERVER_PROTOCOL"] != "HTTP/1.0"
    connection = flask_request.environ.get("gunicorn.socket")
    return HttpRequest(
        flask_request.method,
        flask_request.path,
        content_type=headers.get("Content-Type"),
        accept=headers.get("Accept"),
        content_encoding=headers.get("Content-Encoding"),
        custom_attributes=headers.get(CUSTOM_ATTRIBUTES),
        request_id=headers.get(REQUEST_ID),
        payload_bytes=flask_request.content_length,
        accepts_chunked=accepts_chunked,
        awaits_continue=accepts_chunked and "Expect" in headers,
        caller=SocketCaller(connection, accepts_interim=accepts_chunked)
        if connection
        else Caller(),
    )


def to_flask_response(response: HttpResponse) -> Response:
    """Return a response of the front ends' common type as a Flask response."""
    if response.pieces is None:
        body = response.body if response.chunks is None else response.chunks
        flask_response = Response(body, response.status)
    else:
        content_length = response.content_length
        flask_response = Response(_remove_pieces(response.pieces), response.status)
        flask_response.content_length = content_length
    del flask_response.headers["Content-Type"]
    flask_response.headers.extend(response.headers)
    return flask_response


def _remove_pieces(pieces: deque[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a body, and remove each one, so its memory is free once it is sent."""
    while pieces:
        yield pieces.popleft()
