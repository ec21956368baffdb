"""gunicorn's ASGI connection, with limits for slow clients, and errors in JSON.

It also supports clients that close only their sending half.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Protocol

from gunicorn.asgi import protocol
from gunicorn.asgi.protocol import ASGIProtocol

from container.asgi_server.parser import HeadParser
from container.client_address import format_address
from container.request_head import InvalidHead
from container.sockets import count_queued_bytes, has_unread_data
from serve.errors import SENT, BodyTimeout, IncompleteBody
from serve.http.caller import INTERIM_RESPONSE, PeerMonitor
from serve.http.error_responses import handle_invalid_http
from serve.http.pace import MAX_UNREAD_SECONDS, STALL_SECONDS, describe_pace, is_too_slow

# If the worker is full, it may close a connection that has been idle for this long, or on which
# this long a body has been sent, or a response been read, too slowly.
MAX_IDLE_SECONDS = 1.0
MAX_SLOW_SECONDS = 5.0

# How often to check that a client that has finished sending still waits for its response.
MONITOR_SECONDS = 0.25


class ConnectionOwner(Protocol):
    """The worker that a connection belongs to."""

    loop: asyncio.AbstractEventLoop

    def connection_opened(self, connection: "Connection") -> None:
        """Add a connection."""

    def connection_closed(self, connection: "Connection") -> None:
        """Remove a connection."""


class Connection(ASGIProtocol):
    """A connection that closes if its first request does not arrive within STALL_SECONDS.

    A client that closes its sending half after its last request still gets the responses.
    ``waiting_since`` is the loop's time at the last request or response.
    """

    worker: ConnectionOwner

    def connection_made(self, transport: Any) -> None:
        self._client_finished = False
        self._body_is_invalid = False
        self._answered_request: Any = None
        # Whether gunicorn is about to close the connection, although the application will respond.
        self._response_pending = False
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
        self._abandon_request()

    def eof_received(self) -> bool:
        """Keep the connection open until the requests received so far have their responses."""
        self._client_finished = True
        if self._current_request is None:
            return False
        self._fail_body(EOFError())
        monitor = PeerMonitor(self.transport.get_extra_info("socket"), self._send_interim)
        monitor.is_gone()  # begins to time the client
        self.worker.loop.call_later(MONITOR_SECONDS, self._watch_peer, monitor)
        return True

    def _watch_peer(self, monitor: PeerMonitor) -> None:
        """Close the connection if a client that has finished sending does not receive, either."""
        if self._closed or self.is_idle:
            return
        if monitor.is_gone():
            self.transport.abort()
            return
        self.worker.loop.call_later(MONITOR_SECONDS, self._watch_peer, monitor)

    def _send_interim(self) -> None:
        """Send an interim response, unless the response has begun or HTTP/1.0 forbids it."""
        request = self._current_request
        if request.version >= (1, 1) and self._answered_request is not request:
            self._safe_write(INTERIM_RESPONSE)

    def _send_response_start(self, status: int, headers: Any, request: Any, **options: Any) -> None:
        self._answered_request = request
        super()._send_response_start(status, headers, request, **options)

    def _abandon_request(self) -> None:
        """Cancel the application's call if it has received the body, without a grace period."""
        body = self._body_receiver
        if self._current_request is not None and body is not None and body._complete:
            self._task.cancel()

    def _feed_callback_parser(self, data: bytes) -> bool:
        """Parse data, and do not wait for the rest of a body that the client will not complete."""
        if self._body_is_invalid:
            return False
        try:
            keep_reading = bool(super()._feed_callback_parser(data))
        except ValueError:  # int() rejects thousands of digits
            self._send_error_response(400, "a number has too many digits")
            self._close_transport()
            return False
        except InvalidHead as error:
            self._send_error_response(error.status, str(error))
            self._close_transport()
            return False
        if self._client_finished:
            self._fail_body(EOFError())
        return keep_reading

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

    def _is_websocket_upgrade(self, _request: Any) -> bool:
        """Ignore upgrades, which is allowed for a server without WebSockets (RFC 9110, 7.8)."""
        return False

    def _on_headers_complete(self) -> Any:
        self.waiting_since = self.worker.loop.time()
        self._body_bytes = 0
        return super()._on_headers_complete()

    def _on_body(self, chunk: bytes) -> None:
        self._body_bytes += len(chunk)
        super()._on_body(chunk)

    def _arm_keepalive_timer(self) -> None:
        """Wait for another request, unless the client has closed its sending half."""
        self.waiting_since = self.worker.loop.time()
        if self._client_finished:
            self.close_idle()
        else:
            super()._arm_keepalive_timer()

    @property
    def is_idle(self) -> bool:
        """Whether no request is in progress."""
        return bool(self._current_request is None)

    def is_slow(self, now: float) -> bool:
        """Return whether a full worker may close this connection in favor of a new one."""
        seconds = now - self.waiting_since
        if self.is_idle:
            return seconds > MAX_IDLE_SECONDS and not has_unread_data(
                self.transport.get_extra_info("socket")
            )
        if self._is_receiving:
            return seconds > MAX_SLOW_SECONDS and is_too_slow(self._body_bytes, seconds)
        return self._count_unread_seconds(now) > MAX_SLOW_SECONDS

    def close_slow(self) -> None:
        """Close a slow connection; a client that is sending a body gets status 408."""
        if self.is_idle:
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

    def _count_unread_seconds(self, now: float) -> float:
        """Return for how long the client has read nothing of a response that waits for it."""
        unsent_bytes = self.transport.get_write_buffer_size()
        if unsent_bytes:
            unsent_bytes += count_queued_bytes(self.transport.get_extra_info("socket"))
        if not unsent_bytes or unsent_bytes != self._unsent_bytes:
            self._unsent_bytes, self._read_at = unsent_bytes, now
        return now - self._read_at

    @property
    def _is_receiving(self) -> bool:
        """Whether a body has not arrived completely."""
        return self._body_receiver is not None and not self._body_receiver._complete

    def close_idle(self) -> None:
        """Close the connection as gunicorn does at the end of its keep-alive time."""
        self._keepalive_timeout()

    def _close_transport(self) -> None:
        """Close the connection fully; gunicorn may only half-close it after a disconnect."""
        if self._response_pending:
            self._response_pending = False
            return
        super()._close_transport()
        if self.transport:
            self.transport.close()

    def _close_without_request(self) -> None:
        if self.is_idle and self.req_count <= 1:
            self.close_idle()

    def _send_error_response(self, status: int, message: str, extra_headers: Any = ()) -> None:
        """Send an error of the HTTP parser in JSON, like every other error.

        If it is an error in a body, the application responds, and logs it under the same ID.
        """
        invalid_body = IncompleteBody(f"incomplete body: {SENT}", message)
        if status < HTTPStatus.INTERNAL_SERVER_ERROR and self._fail_body(invalid_body):
            self._body_is_invalid = self._response_pending = True
            return
        reason = self._get_reason_phrase(status)
        response = handle_invalid_http(
            format_address(self.transport.get_extra_info("peername")),
            status,
            reason,
            message,
        )
        lines = [
            f"HTTP/1.1 {status} {reason}",
            *(f"{name}: {value}" for name, value in (*response.headers, *extra_headers)),
            f"Content-Length: {len(response.body)}",
            "Connection: close",
            "\r\n",
        ]
        self._safe_write("\r\n".join(lines).encode("latin-1") + response.body)


protocol.PythonProtocol = HeadParser
for known_status in HTTPStatus:
    protocol._REASON_PHRASES.setdefault(known_status.value, known_status.phrase)
