"""gunicorn's ASGI connection, with a timeout for the first request and errors in JSON.

It also supports clients that close only their sending half.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Protocol

from gunicorn.asgi.protocol import ASGIProtocol

from serve.errors import IncompleteBody
from serve.http.body import STALL_SECONDS
from serve.http.error_responses import encode_error


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
    """

    worker: ConnectionOwner

    def connection_made(self, transport: Any) -> None:
        self._client_finished = False
        super().connection_made(transport)
        self.worker.connection_opened(self)
        self._first_request_timer = self.worker.loop.call_later(
            STALL_SECONDS, self._close_without_request
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._first_request_timer.cancel()
        super().connection_lost(exc)
        self.worker.connection_closed(self)

    def eof_received(self) -> bool:
        """Keep the connection open until the requests received so far have their responses."""
        self._client_finished = True
        if self._current_request is None:
            return False
        self._end_incomplete_body()
        return True

    def _feed_callback_parser(self, data: bytes) -> bool:
        """Parse data, and do not wait for the rest of a body that the client will not complete."""
        try:
            keep_reading = bool(super()._feed_callback_parser(data))
        except ValueError:  # int() rejects thousands of digits
            self._send_error_response(400, "a number has too many digits")
            self._close_transport()
            return False
        if self._client_finished:
            self._end_incomplete_body()
        return keep_reading

    def _end_incomplete_body(self) -> None:
        """Make an incomplete body raise EOFError for its reader, after the data received so far."""
        body = self._body_receiver
        if body and not body._complete:
            body._source = _raise_eof
            body._wake_waiter()

    def _is_websocket_upgrade(self, _request: Any) -> bool:
        """Ignore upgrades, which is allowed for a server without WebSockets (RFC 9110, 7.8)."""
        return False

    def _arm_keepalive_timer(self) -> None:
        """Wait for another request, unless the client has closed its sending half."""
        if self._client_finished:
            self.close_idle()
        else:
            super()._arm_keepalive_timer()

    @property
    def is_idle(self) -> bool:
        """Whether no request is in progress."""
        return bool(self._current_request is None)

    def close_idle(self) -> None:
        """Close the connection as gunicorn does at the end of its keep-alive time."""
        self._keepalive_timeout()

    def _close_transport(self) -> None:
        """Close the connection fully; gunicorn may only half-close it after a disconnect."""
        super()._close_transport()
        if self.transport:
            self.transport.close()

    def _close_without_request(self) -> None:
        if self.is_idle and self.req_count <= 1:
            self.close_idle()

    def _get_reason_phrase(self, status: int) -> str:
        """Return the phrase of a status, even of one that gunicorn does not know, such as 431."""
        phrase: str = super()._get_reason_phrase(status)
        return HTTPStatus(status).phrase if phrase == "Unknown" else phrase

    def _send_error_response(self, status: int, message: str, extra_headers: Any = ()) -> None:
        """Send an error of the HTTP parser in JSON, like every other error."""
        reason = self._get_reason_phrase(status)
        if self._current_request is None:
            self._log_invalid_request()
            error_name = "".join(reason.split())
            message = f"invalid HTTP request: {message}" if message else "invalid HTTP request"
        else:
            error_name = IncompleteBody.__name__
            message = f"incomplete body: {message}"
        body = encode_error(error_name, message)
        lines = [
            f"HTTP/1.1 {status} {reason}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in extra_headers),
            "Connection: close",
            "\r\n",
        ]
        self._safe_write("\r\n".join(lines).encode("latin-1") + body)

    def _log_invalid_request(self) -> None:
        # The address of a client that has disconnected is unknown.
        address, *_ = self.transport.get_extra_info("peername") or ("unknown",)
        self.log.warning("Invalid request from ip=%s", address)


async def _raise_eof() -> bytes:
    raise EOFError
