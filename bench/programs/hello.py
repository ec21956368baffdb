"""Hello-world servers, the floor of HTTP: read the body of each POST, and send a fixed response.

Usage: hello.py asgi|flask PORT
"""

import sys
import tempfile
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication

from container.server import build_options
from serve.settings import Settings

BODY = b"42.0\n"
WORKERS = 2
FLASK_THREADS = 4


class Hello(BaseApplication):
    """gunicorn with the same options as this project's server, and a trivial application."""

    def __init__(self, application: Callable[..., Any], options: dict[str, Any]) -> None:
        self.application = application
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self.application


def flask_options(shared: dict[str, Any]) -> dict[str, Any]:
    """Return the usual options of a Flask application: gunicorn's threaded worker."""
    return {**shared, "worker_class": "gthread", "threads": FLASK_THREADS}


async def asgi(
    scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
) -> None:
    """Respond as a minimal ASGI application."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"text/csv"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def flask() -> Flask:
    """Return a Flask application with one route."""
    app = Flask(__name__)

    @app.route("/invocations", methods=["POST"])
    def invocations() -> Response:
        request.get_data()
        return Response(BODY, content_type="text/csv")

    return app


def main() -> None:
    """Serve on the loopback interface until a signal arrives."""
    front_end, port = sys.argv[1], int(sys.argv[2])
    settings = Settings(port=port, frontend=front_end)
    shared = {
        **build_options(settings, WORKERS, tempfile.gettempdir()),
        "bind": f"127.0.0.1:{port}",
    }
    if front_end == "asgi":
        Hello(asgi, shared).run()
    else:
        Hello(flask(), flask_options(shared)).run()


if __name__ == "__main__":
    main()
