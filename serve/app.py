"""The Flask application: a model behind the routes of SageMaker's contract."""

from collections.abc import Mapping
from functools import partial

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from serve.errors import ClientDisconnected, InvocationError, Overloaded, PayloadTooLarge
from serve.http.body import drain_body
from serve.http.description_routes import build_description_blueprint
from serve.http.error_responses import (
    CLIENT_CLOSED_REQUEST,
    handle_client_error,
    handle_routing_error,
    handle_server_error,
)
from serve.http.execution_parameters import build_execution_parameters
from serve.http.flask_routes import build_blueprint, from_flask_request, to_flask_response
from serve.http.responder import Responder
from serve.model.model import Model, load_model
from serve.parallel import ParallelMap
from serve.settings import Settings


def create_app(
    settings: Settings | None = None,
    model: Model | None = None,
    parallel: ParallelMap | None = None,
) -> Flask:
    """Return the application, for any WSGI server; raises StartupError.

    By default, the settings come from the environment, and the model from the folder they name.
    """
    settings = settings or Settings.from_env()
    parallel = parallel or ParallelMap()
    responder = Responder(model or load_model(settings), settings, parallel)
    execution_parameters = build_execution_parameters(settings, settings.workers or 1)
    return build_app(responder, execution_parameters, parallel.threads)


def build_app(
    responder: Responder, execution_parameters: Mapping[str, int], threads: int = 1
) -> Flask:
    """Return the application that passes invocations to this responder.

    It computes at most ``threads`` long invocations at a time.
    """
    app = Flask(__name__, static_folder=None)
    app.before_request(_read_request)
    app.register_blueprint(build_blueprint(responder, execution_parameters, threads))
    app.register_blueprint(build_description_blueprint(responder.model))
    app.register_error_handler(InvocationError, respond_to_client_error)
    app.register_error_handler(ClientDisconnected, _respond_to_nobody)
    app.register_error_handler(HTTPException, _respond_to_routing_error)
    app.register_error_handler(Exception, _respond_to_server_error)
    return app


def respond_to_client_error(error: InvocationError) -> Response:
    """Return the response to a request that the client got wrong."""
    response = to_flask_response(handle_client_error(g.http_request, error))
    is_unread = isinstance(error, Overloaded | PayloadTooLarge)
    if is_unread and not g.http_request.awaits_continue:
        response.call_on_close(partial(drain_body, request.stream))
    return response


def _read_request() -> None:
    g.http_request = from_flask_request(request)


def _respond_to_routing_error(error: HTTPException) -> Response:
    """Return status 404, or status 405 with the allowed methods in Allow."""
    headers = tuple(header for header in error.get_headers() if header[0] != "Content-Type")
    error_name = type(error).__name__
    return to_flask_response(
        handle_routing_error(g.http_request, error.code or 0, error_name, headers)
    )


def _respond_to_nobody(_error: ClientDisconnected) -> Response:
    """Return the response of an abandoned request, which no client receives."""
    return Response(status=CLIENT_CLOSED_REQUEST, headers={"Connection": "close"})


def _respond_to_server_error(error: Exception) -> Response:
    return to_flask_response(handle_server_error(g.http_request, error))
