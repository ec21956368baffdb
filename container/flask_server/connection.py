"""gunicorn's threaded connection, which can wait for its request without a thread."""

import socket
from time import monotonic
from typing import Any

from gunicorn.workers.gthread import TConn

from container.flask_server.paced_socket import PacedSocket
from container.flask_server.request_detector import RequestDetector
from container.sockets import has_unread_data
from serve.http.pace import STALL_SECONDS, describe_pace, describe_stall, is_too_slow

RECEIVE_BYTES = 1 << 16
# If the worker is full, it may close a connection that has been idle for this long, or has taken
# this long to send a request at less than the minimum rate.
MAX_IDLE_SECONDS = 1.0
MAX_SLOW_SECONDS = 5.0


class Connection(TConn):
    """A connection to a client, whose socket has a minimum pace.

    ``waiting_since`` is when the client began to send its request, or when it could begin.
    """

    def __init__(self, worker: Any, client: socket.socket, address: Any, server: Any) -> None:
        self._worker = worker
        self._detector: RequestDetector | None = None
        self.waiting_since = self._received_at = monotonic()
        paced_socket = PacedSocket(client, worker.has_queued_requests)
        super().__init__(worker.cfg, paced_socket, address, server)

    def init(self) -> None:
        """Prepare for a request, which a thread will read now."""
        super().init()
        if self._detector is None:
            self.sock.start_request()
        self._detector = None

    def set_timeout(self) -> None:
        """Wait for another request."""
        self.waiting_since = monotonic()
        super().set_timeout()

    def receive(self) -> bool:
        """Receive what has arrived, and return whether a thread should read the request now."""
        self._received_at = monotonic()
        if self._detector is None:
            self._detector = RequestDetector()
            self.waiting_since = self._received_at
            self.sock.start_request()
        try:
            data = self.sock.receive_early(RECEIVE_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # the thread gets it again
            return True
        return not data or self._detector.feed(data)

    def find_delay(self, now: float) -> str:
        """Return the reason why a request arrives too slowly, or "" if it does not."""
        if now - self._received_at > STALL_SECONDS:
            return describe_stall()
        seconds = now - self.waiting_since
        if seconds > STALL_SECONDS and is_too_slow(self.sock.received_bytes, seconds):
            return self.describe_pace(now)
        return ""

    def describe_pace(self, now: float) -> str:
        """Return how slowly the client sends its request, for an error message."""
        return describe_pace(self.sock.received_bytes, now - self.waiting_since)

    def is_slow(self, now: float) -> bool:
        """Return whether a full worker may close this connection in favor of a new one."""
        seconds = now - self.waiting_since
        if self._detector is None:
            return seconds > MAX_IDLE_SECONDS and not has_unread_data(self.sock)
        return seconds > MAX_SLOW_SECONDS and is_too_slow(self.sock.received_bytes, seconds)

    @property
    def is_idle(self) -> bool:
        """Whether the client has not begun to send a request."""
        return self._detector is None

    def close(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002  # gunicorn's signature
        """Close the connection; gracefully, without blocking the worker's event loop."""
        if graceful:
            self._worker.linger(self)
        else:
            super().close()
