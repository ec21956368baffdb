"""Routes: /ping and /invocations as Flask's views.

Source: contract 2.1 to 2.5 and 3.1.
"""

from flask import Blueprint, Request, Response, g, request

from serve.answer import Answer, Asked, returned_attributes
from serve.invocations import Invocations
from serve.payload import read_payload


def routes(invocations: Invocations) -> Blueprint:
    """Return the routes that answer from a model which is ready."""
    blueprint = Blueprint("sagemaker", __name__)

    @blueprint.route("/ping", methods=["GET", "POST"], provide_automatic_options=False)
    def ping() -> Response:
        return response_of(Answer(200, returned_attributes(g.asked)))

    @blueprint.route("/invocations", methods=["POST"], provide_automatic_options=False)
    def invoke() -> Response:
        payload = read_payload(request, invocations.most_bytes)
        with invocations.queue:
            return response_of(invocations.answer(g.asked, payload))

    return blueprint


def asked_by(http: Request) -> Asked:
    """Return what a request of Flask's asks for."""
    header = http.headers.get
    return Asked(
        http.method,
        http.path,
        header("Content-Type"),
        header("Accept"),
        header("Content-Encoding"),
        header("X-Amzn-SageMaker-Custom-Attributes"),
        http.content_length,
    )


def response_of(answer: Answer) -> Response:
    """Return an answer as a response of Flask's."""
    response = Response(answer.body, answer.status)
    del response.headers["Content-Type"]
    response.headers.extend(answer.headers)
    return response
