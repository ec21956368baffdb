"""Errors in HTTP that gunicorn finds, in JSON like every other error."""

import socket

from gunicorn import util

from container.client_address import format_address
from serve.http.error_responses import handle_invalid_http


def write_json_error(connection: socket.socket, status: int, reason: str, message: str) -> None:
    """Send an error of the HTTP parser in JSON; by default, gunicorn sends an HTML page."""
    response = handle_invalid_http(_get_address(connection), status, reason, message)
    lines = [
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in response.headers),
        f"Content-Length: {len(response.body)}",
        "\r\n",
    ]
    body = b"" if getattr(connection, "method", None) == "HEAD" else response.body
    util.write_nonblock(connection, "\r\n".join(lines).encode("latin-1") + body)


def _get_address(connection: socket.socket) -> str:
    try:
        return format_address(connection.getpeername())
    except OSError:  # the client has disconnected
        return format_address(None)
