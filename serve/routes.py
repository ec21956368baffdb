"""Routes: /ping and /invocations, between HTTP and an invocation.

Source: contract 2.1 to 2.5 and 3.1 to 3.14.
"""

import logging
from http import HTTPStatus

from flask import Blueprint, Request, Response, g, request

from serve.codecs import CODECS
from serve.encoding import decoded
from serve.errors import NotAcceptable
from serve.inference import Invocation, infer
from serve.logs import event
from serve.media_types import CSV, JSON, JSON_LINES, acceptable, content_type
from serve.model import Model
from serve.payload import read_payload
from serve.settings import Settings
from serve.stages import Stages
from serve.wording import quoted

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
LONGEST_CUSTOM_ATTRIBUTES = 1024
LONGEST_PATH = 200


def routes(model: Model, settings: Settings) -> Blueprint:
    """Return the routes that answer from a model which is ready."""
    blueprint = Blueprint("sagemaker", __name__)

    @blueprint.route("/ping", methods=["GET", "POST"], provide_automatic_options=False)
    def ping() -> Response:
        return _empty(HTTPStatus.OK)

    @blueprint.route("/invocations", methods=["POST"], provide_automatic_options=False)
    def invocations() -> Response:
        return respond(model, settings, request)

    blueprint.after_request(_with_custom_attributes)
    return blueprint


def respond(model: Model, settings: Settings, http: Request) -> Response:
    """Return the response to one invocation; raises InvocationError."""
    g.stages = stages = Stages()
    media_type = content_type(http.headers.get("Content-Type"))
    accept = _accept(http.headers.get("Accept"), media_type.name, settings.default_accept)
    body = read_payload(http, settings.max_payload_bytes)
    payload = decoded(body, http.headers.get("Content-Encoding"), settings.max_payload_bytes)
    g.payload_bytes = len(payload)
    stages.end("read")
    if not payload:
        return _empty(HTTPStatus.NO_CONTENT)
    reply = infer(model, Invocation(payload, media_type.name, media_type.parameters, accept), stages)
    event(logging.DEBUG, "answered", status=int(HTTPStatus.OK), reply_bytes=len(reply.body), **told_of_request())
    return Response(reply.body, content_type=reply.media_type)


def told_of_request() -> dict[str, object]:
    """Return what the log tells of the request under way: names and sizes, never what is in it."""
    stages: Stages | None = g.get("stages")
    return {
        "method": request.method,
        "path": request.path[:LONGEST_PATH],
        "content_type": request.headers.get("Content-Type", "")[:LONGEST_PATH],
        "payload_bytes": g.get("payload_bytes", request.content_length),
        "milliseconds": stages.milliseconds() if stages else None,
    }


def _empty(status: HTTPStatus) -> Response:
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response


def _accept(header: str | None, media_type: str, default: str | None) -> str:
    """Return the reply's media type: what Accept likes best, and where it leaves that open the default or the payload's own."""
    first_choice = default or (media_type if media_type in (JSON, JSON_LINES) else CSV)
    accept = acceptable(header, (first_choice, *CODECS))
    if accept is None:
        raise NotAcceptable(f"no reply can be made for Accept: {quoted(header)}; expected {', '.join(CODECS)}")
    return accept


def _with_custom_attributes(response: Response) -> Response:
    """Send the request's custom attributes back, as the caller expects and the platform does not do by itself: contract 3.7."""
    attributes = request.headers.get(CUSTOM_ATTRIBUTES, "")
    if 0 < len(attributes) <= LONGEST_CUSTOM_ATTRIBUTES and attributes.isascii() and attributes.isprintable():
        response.headers[CUSTOM_ATTRIBUTES] = attributes
    return response
