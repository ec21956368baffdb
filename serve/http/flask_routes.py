"""Routes: /ping, /invocations and /execution-parameters as Flask's views.

Source: contract 2.1 to 2.5, 3.1 and 5.2.
"""

import json
from collections.abc import Mapping

from flask import Blueprint, Request, Response, g, request

from serve.http.body import read_body
from serve.http.messages import JSON, HttpRequest, HttpResponse, echoed_attributes
from serve.http.responder import Responder


def routes(invocations: Responder, execution_parameters: Mapping[str, int]) -> Blueprint:
    """Return the routes that answer from a model which is ready."""
    blueprint = Blueprint("sagemaker", __name__)

    @blueprint.route("/ping", methods=["GET", "POST"], provide_automatic_options=False)
    def ping() -> Response:
        return response_of(HttpResponse(200, echoed_attributes(g.asked)))

    @blueprint.route("/invocations", methods=["POST"], provide_automatic_options=False)
    def invoke() -> Response:
        payload = read_body(request, invocations.most_bytes)
        with invocations.queue:
            return response_of(invocations.answer(g.asked, payload))

    @blueprint.route("/execution-parameters", methods=["GET"], provide_automatic_options=False)
    def execution() -> Response:
        return response_of(
            HttpResponse(
                200,
                (("Content-Type", JSON),),
                json.dumps(dict(execution_parameters)).encode() + b"\n",
            )
        )

    return blueprint


def asked_by(http: Request) -> HttpRequest:
    """Return what a request of Flask's asks for."""
    header = http.headers.get
    return HttpRequest(
        http.method,
        http.path,
        header("Content-Type"),
        header("Accept"),
        header("Content-Encoding"),
        header("X-Amzn-SageMaker-Custom-Attributes"),
        http.content_length,
        takes_chunks=http.environ["SERVER_PROTOCOL"] != "HTTP/1.0",
    )


def response_of(answer: HttpResponse) -> Response:
    """Return an answer as a response of Flask's."""
    response = Response(answer.body if answer.pieces is None else answer.pieces, answer.status)
    del response.headers["Content-Type"]
    response.headers.extend(answer.headers)
    return response
