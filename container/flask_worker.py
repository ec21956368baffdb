"""gunicorn's threaded worker, with a graceful shutdown and errors in JSON."""

import select
import socket
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn, ThreadWorker

from container.client_address import format_address
from container.flask_request import CheckedRequest
from container.request_head import InvalidHead
from serve.http.body import STALL_SECONDS
from serve.http.error_responses import handle_invalid_http


class Connection(TConn):
    """A connection whose reads time out after STALL_SECONDS."""

    def init(self) -> None:
        super().init()
        self.sock.settimeout(STALL_SECONDS)


class FlaskWorker(ThreadWorker):
    """A worker that, on shutdown, accepts all connections in the listen backlog."""

    def accept(self, listener: Any) -> None:
        """Accept a connection as gunicorn does, but use Connection, which has a timeout."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname()))

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001  # gunicorn's signature
        if not enabled and not self.alive:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
        super().set_accept_enabled(enabled)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Respond to a request that could not be parsed."""
        if isinstance(exc, InvalidHead):
            with suppress(OSError):  # the client has disconnected
                write_json_error(client, exc.status, exc.status.phrase, str(exc))
        else:
            super().handle_error(req, client, addr, exc)


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
    util.write_nonblock(connection, "\r\n".join(lines).encode("latin-1") + response.body)


def _get_address(connection: socket.socket) -> str:
    try:
        return format_address(connection.getpeername())
    except OSError:  # the client has disconnected
        return format_address(None)


util.write_error = write_json_error
RequestParser.mesg_class = CheckedRequest
