"""The application: a model behind Flask's routes, every failure one line of JSON."""

from collections.abc import Mapping

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from serve.errors import InvocationError
from serve.http.execution_parameters import execution_parameters
from serve.http.flask_routes import asked_by, response_of, routes
from serve.http.messages import caller_failed, path_failed, server_failed
from serve.http.responder import Invocations
from serve.model.model import Model, load
from serve.parallel import Spread
from serve.settings import Settings


def create_app(
    settings: Settings | None = None, model: Model | None = None, spread: Spread | None = None
) -> Flask:
    """Return the application, with the model of the settings' folder loaded if none is given; raises StartError."""
    settings = settings or Settings.from_env()
    invocations = Invocations(model or load(settings), settings, spread or Spread())
    return application(invocations, execution_parameters(settings, settings.workers or 1))


def application(invocations: Invocations, parameters: Mapping[str, int]) -> Flask:
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
    return response_of(caller_failed(g.asked, error))


def _note_what_is_asked() -> None:
    g.asked = asked_by(request)


def _http_error(error: HTTPException) -> Response:
    """Answer what no route takes: the 404 and the 405, which names the methods that are allowed."""
    headers = tuple(header for header in error.get_headers() if header[0] != "Content-Type")
    return response_of(path_failed(g.asked, error.code or 0, type(error).__name__, headers))


def _own_error(error: Exception) -> Response:
    """Answer a failure of the server itself."""
    return response_of(server_failed(g.asked, error))
