"""Connections whose last response has been sent, and that their clients should close.

A server that closes first, with data of the client still unread, makes the kernel discard the
response. gunicorn waits up to 2 s for each client, and blocks the worker's event loop meanwhile.
Source: RFC 9112, section 9.6.
"""

import selectors
import socket
from collections.abc import Callable
from functools import partial
from time import monotonic

from container.flask_server.connection import Connection

MAX_SECONDS, MAX_BYTES = 2.0, 1 << 16


class Lingering:
    """Reads and discards what clients send, up to MAX_BYTES each, for at most MAX_SECONDS.

    It calls ``end`` for each connection once it has lingered.
    """

    def __init__(self, poller: selectors.BaseSelector, end: Callable[[Connection], None]) -> None:
        self._poller = poller
        self._end = end
        self._deadlines: dict[Connection, float] = {}
        self._discarded_bytes: dict[Connection, int] = {}

    def add(self, connection: Connection) -> bool:
        """Add a connection; return False if its client has already disconnected."""
        try:
            connection.sock.setblocking(False)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        self._deadlines[connection] = monotonic() + MAX_SECONDS
        self._discarded_bytes[connection] = 0
        self._poller.register(
            connection.sock, selectors.EVENT_READ, partial(self._discard, connection)
        )
        return True

    def check_deadlines(self, now: float) -> None:
        """Remove the connections that have lingered long enough."""
        for connection, deadline in list(self._deadlines.items()):
            if deadline > now:
                return
            self._remove(connection)

    def _discard(self, connection: Connection, client: socket.socket) -> None:
        try:
            data = client.recv(MAX_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._discarded_bytes[connection] += len(data)
        if not data or self._discarded_bytes[connection] > MAX_BYTES:
            self._remove(connection)

    def _remove(self, connection: Connection) -> None:
        del self._deadlines[connection], self._discarded_bytes[connection]
        self._poller.unregister(connection.sock)
        self._end(connection)
