"""Call a WSGI application with an ASGI request whose body has been received.

Source: PEP 3333; the ASGI specification, HTTP connection scope.
"""

import io
import sys
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from werkzeug.test import run_wsgi_app

from serve.http.messages import HttpResponse

HEADERS_WITHOUT_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")


def call_wsgi(application: WSGIApplication, scope: dict[str, Any], body: bytes) -> HttpResponse:
    """Return the application's response without Content-Length, which the ASGI front end adds."""
    environ = _build_environ(scope, body)
    chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
    headers_to_send = tuple(
        (name, value) for name, value in headers.items() if name != "Content-Length"
    )
    body = b"".join(chunks)
    omitted_bytes = int(headers.get("Content-Length", 0)) - len(body)
    return HttpResponse(
        int(status.split()[0]), headers_to_send, body, omitted_bytes=max(0, omitted_bytes)
    )


def _build_environ(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in HEADERS_WITHOUT_PREFIX:
            key = f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
