"""The application: a model behind Flask's routes, every failure one line of JSON."""

from collections.abc import Mapping

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from serve.errors import InvocationError
from serve.http.execution_parameters import execution_parameters
from serve.http.flask_routes import asked_by, response_of, routes
from serve.http.messages import client_error, routing_error, server_error
from serve.http.responder import Responder
from serve.model.model import Model, load_model
from serve.parallel import ParallelMap
from serve.settings import Settings


def create_app(
    settings: Settings | None = None,
    model: Model | None = None,
    parallel: ParallelMap | None = None,
) -> Flask:
    """Return the application, with the model of the settings' folder loaded if none is given; raises StartupError."""
    settings = settings or Settings.from_env()
    invocations = Responder(model or load_model(settings), settings, parallel or ParallelMap())
    return application(invocations, execution_parameters(settings, settings.workers or 1))


def application(invocations: Responder, parameters: Mapping[str, int]) -> Flask:
    """Return the application that answers invocations so, and says these execution parameters."""
    app = Flask(__name__, static_folder=None)
    app.before_request(_note_what_is_asked)
    app.register_blueprint(routes(invocations, parameters))
    app.register_error_handler(InvocationError, caller_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _own_error)
    return app


def caller_error(error: InvocationError) -> Response:
    """Return what answers a failure of the caller's."""
    return response_of(client_error(g.asked, error))


def _note_what_is_asked() -> None:
    g.asked = asked_by(request)


def _http_error(error: HTTPException) -> Response:
    """HttpResponse what no route takes: the 404 and the 405, which names the methods that are allowed."""
    headers = tuple(header for header in error.get_headers() if header[0] != "Content-Type")
    return response_of(routing_error(g.asked, error.code or 0, type(error).__name__, headers))


def _own_error(error: Exception) -> Response:
    """HttpResponse a failure of the server itself."""
    return response_of(server_error(g.asked, error))
