"""Flask routes that describe the API: /openapi.json and /.

Both are built on request, because few clients of a server ask for them.
"""

import re
from functools import lru_cache

import orjson
from flask import Blueprint, Response, request

from serve.http.flask_routes import to_flask_response
from serve.http.messages import HttpResponse
from serve.media.types import JSON
from serve.model.model import Model
from serve.openapi.document import build_document
from serve.openapi.page import build_page

# The host that a client sent becomes part of a shell command.
HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
DEFAULT_HOST = "127.0.0.1:8080"
TEXT = "text/plain; charset=utf-8"


def build_description_blueprint(model: Model) -> Blueprint:
    """Return the routes that describe the API of a model."""
    blueprint = Blueprint("description", __name__)

    @lru_cache(maxsize=1)
    def encode_document() -> bytes:
        return orjson.dumps(build_document(model)) + b"\n"

    @blueprint.route("/openapi.json", methods=["GET"], provide_automatic_options=False)
    def get_document() -> Response:
        return to_flask_response(HttpResponse(200, (("Content-Type", JSON),), encode_document()))

    @blueprint.route("/", methods=["GET"], provide_automatic_options=False)
    def get_page() -> Response:
        host = request.headers.get("Host", "")
        page = build_page(model, host if HOST.fullmatch(host) else DEFAULT_HOST)
        return to_flask_response(HttpResponse(200, (("Content-Type", TEXT),), page.encode()))

    return blueprint
