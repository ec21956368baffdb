"""gunicorn's ASGI connection, closed if its client sends or reads too slowly."""

import asyncio
from typing import Any, Protocol

from gunicorn.asgi.protocol import ASGIProtocol

from container.sockets import count_queued_bytes, has_unread_data
from serve.errors import BodyTimeout
from serve.http.pace import MAX_UNREAD_SECONDS, STALL_SECONDS, describe_pace, is_too_slow

# If the worker is full, it may close a connection that has been idle for this long, or on which
# this long a body has been sent, or a response been read, too slowly.
MAX_IDLE_SECONDS = 1.0
MAX_SLOW_SECONDS = 5.0


class ConnectionOwner(Protocol):
    """The worker that a connection belongs to."""

    loop: asyncio.AbstractEventLoop
    alive: bool
    nr: int
    max_requests: int

    def connection_opened(self, connection: "PacedConnection") -> None:
        """Add a connection."""

    def connection_closed(self, connection: "PacedConnection") -> None:
        """Remove a connection."""


class PacedConnection(ASGIProtocol):
    """A connection that closes if its first request does not arrive within STALL_SECONDS.

    ``waiting_since`` is the loop's time at the last request or response.
    """

    worker: ConnectionOwner
    _keepalive_handle: asyncio.TimerHandle | None

    def connection_made(self, transport: Any) -> None:
        self._body_is_invalid = False
        self.waiting_since = self._read_at = self.worker.loop.time()
        self._body_bytes = self._unsent_bytes = 0
        super().connection_made(transport)
        self.worker.connection_opened(self)
        self._first_request_timer = self.worker.loop.call_later(
            STALL_SECONDS, self._close_without_request
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._first_request_timer.cancel()
        super().connection_lost(exc)
        self.worker.connection_closed(self)

    @property
    def is_idle(self) -> bool:
        """Whether no request is in progress."""
        return bool(self._current_request is None)

    def is_slow(self, now: float) -> bool:
        """Return whether a full worker may close this connection in favor of a new one."""
        seconds = now - self.waiting_since
        if self._is_unused:
            return seconds > MAX_IDLE_SECONDS and not has_unread_data(self._get_socket())
        if self._is_receiving:
            return seconds > MAX_SLOW_SECONDS and is_too_slow(self._body_bytes, seconds)
        return self._count_unread_seconds(now) > MAX_SLOW_SECONDS

    def close_slow(self) -> None:
        """Close a slow connection; a client that is sending a body gets status 408."""
        if self._is_unused:
            self.close_idle()
        elif self._is_receiving:
            self._body_is_invalid = True
            seconds = self.worker.loop.time() - self.waiting_since
            pace = describe_pace(self._body_bytes, seconds)
            self._fail_body(BodyTimeout(f"incomplete body: {pace}"))
        else:
            self.transport.abort()

    def close_unread(self, now: float) -> None:
        """Close the connection if its client has read nothing for too long; called regularly."""
        if self._count_unread_seconds(now) > MAX_UNREAD_SECONDS:
            self.transport.abort()

    def close_idle(self) -> None:
        """Close the connection as gunicorn does at the end of its keep-alive time."""
        super()._keepalive_timeout()

    def _on_headers_complete(self) -> Any:
        self.waiting_since = self.worker.loop.time()
        self._body_bytes = 0
        return super()._on_headers_complete()

    def _on_body(self, chunk: bytes) -> None:
        self._body_bytes += len(chunk)
        super()._on_body(chunk)

    def _arm_keepalive_timer(self) -> None:
        self.waiting_since = self.worker.loop.time()
        super()._arm_keepalive_timer()

    def _keepalive_timeout(self) -> None:
        """Close the connection, unless there was a request since the timer was started."""
        remaining = self.waiting_since + self._keepalive - self.worker.loop.time()
        if remaining > 0:
            self._keepalive_handle = self.worker.loop.call_later(remaining, self._keepalive_timeout)
        else:
            self.close_idle()

    def _close_without_request(self) -> None:
        if self.is_idle and self.req_count <= 1:
            self.close_idle()

    def _count_unread_seconds(self, now: float) -> float:
        """Return for how long the client has read nothing of a response that waits for it."""
        unsent_bytes = self.transport.get_write_buffer_size()
        if unsent_bytes:
            unsent_bytes += count_queued_bytes(self._get_socket())
        if not unsent_bytes or unsent_bytes != self._unsent_bytes:
            self._unsent_bytes, self._read_at = unsent_bytes, now
        return now - self._read_at

    @property
    def _is_unused(self) -> bool:
        """Whether no request is in progress, and the client has read all responses."""
        return self.is_idle and not self.transport.get_write_buffer_size()

    @property
    def _is_receiving(self) -> bool:
        """Whether a body has not arrived completely."""
        return self._body_receiver is not None and not self._body_receiver._complete

    def _fail_body(self, error: Exception) -> bool:
        """Make an incomplete body raise an error for its reader, after the data received so far.

        Return whether there is an incomplete body.
        """
        body = self._body_receiver
        if body is None or body._complete:
            return False

        async def raise_error() -> bytes:
            raise error

        body._source = raise_error
        if body._waiter and not body._waiter.done():
            body._waiter.set_exception(error)
        return True

    def _get_socket(self) -> Any:
        return self.transport.get_extra_info("socket")
