"""Find out whether the client of a request still waits for the response.

Source: RFC 9110, section 15.2; RFC 9112, section 9.6.
"""

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from serve.errors import ClientDisconnected

DISCONNECTED = "the client disconnected before it had the response"
# Clients ignore an interim response that they do not expect.
INTERIM_RESPONSE = b"HTTP/1.1 100 Continue\r\n\r\n"
# How long a client must have been silent before it gets an interim response.
PROBE_SECONDS = 0.5


class Caller:
    """The client of an invocation, which is abandoned if the client disconnects.

    The thread that computes the response calls ``check`` between slices of the payload.
    """

    def __init__(self) -> None:
        self._has_left = False

    def leave(self) -> None:
        """Abandon the invocation."""
        self._has_left = True

    def check(self) -> None:
        """Raise ClientDisconnected if the client has disconnected."""
        if self._has_left or self._is_gone():
            raise ClientDisconnected(DISCONNECTED)

    def begin_response(self) -> None:
        """Send nothing more but the response."""

    def _is_gone(self) -> bool:
        return False


class SocketCaller(Caller):
    """A client whose disconnect only its socket shows, because no event loop watches it."""

    def __init__(self, connection: socket.socket, *, accepts_interim: bool) -> None:
        super().__init__()
        self._connection = connection
        self._accepts_interim = accepts_interim
        self._monitor: PeerMonitor | None = None  # created for the few requests that need it

    def begin_response(self) -> None:
        self._accepts_interim = False
        if self._monitor:
            self._monitor.send_interim = None

    def _is_gone(self) -> bool:
        if self._monitor is None:
            send_interim = self._send_interim if self._accepts_interim else None
            self._monitor = PeerMonitor(self._connection, send_interim)
        return self._monitor.is_gone()

    def _send_interim(self) -> None:
        with suppress(OSError):  # the next check reports the error
            self._connection.send(INTERIM_RESPONSE, socket.MSG_DONTWAIT)


class PeerMonitor:
    """Tells a client that closed its connection from one that closed only its sending half.

    Both look the same until the kernel has sent something. So a client that has closed its sending
    half, and still waits after PROBE_SECONDS, gets an interim response.
    """

    def __init__(self, connection: socket.socket, send_interim: Callable[[], None] | None) -> None:
        """Watch a connection; without ``send_interim``, only a reset is a disconnect."""
        self.send_interim = send_interim
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLRDHUP)
        self._finished_at: float | None = None

    def is_gone(self) -> bool:
        """Return whether the client has closed or reset its connection."""
        events = self._poll.poll(0)
        flags = events[0][1] if events else 0
        if flags & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            return True
        if flags & select.POLLRDHUP and self.send_interim is not None:
            self._finished_at = self._finished_at or monotonic()
            if monotonic() - self._finished_at >= PROBE_SECONDS:
                self.send_interim()
                self.send_interim = None
        return False
