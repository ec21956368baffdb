"""gunicorn's ASGI connection, with this server's answers to invalid and incomplete requests."""

from http import HTTPStatus
from typing import Any

from gunicorn.asgi import protocol

from container.asgi_server.paced_connection import PacedConnection
from container.asgi_server.parser import HeadParser
from container.client_address import format_address
from container.request_head import InvalidHead
from serve.errors import SENT, IncompleteBody
from serve.http.caller import INTERIM_RESPONSE, PeerMonitor
from serve.http.error_responses import handle_invalid_http

# How often to check that a client that has finished sending still waits for its response.
MONITOR_SECONDS = 0.25


class Connection(PacedConnection):
    """A connection whose client may close its sending half and still get its responses."""

    def connection_made(self, transport: Any) -> None:
        self._client_finished = False
        self._answered_request: Any = None
        # Whether gunicorn is about to close the connection, although the application will respond.
        self._response_pending = False
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._abandon_request()

    def eof_received(self) -> bool:
        """Keep the connection open until the requests received so far have their responses."""
        self._client_finished = True
        if self._current_request is None:
            return False
        self._fail_body(EOFError())
        monitor = PeerMonitor(self._get_socket(), self._send_interim)
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
            self._reject(HTTPStatus.BAD_REQUEST, "a number has too many digits")
            return False
        except InvalidHead as error:
            self._reject(error.status, str(error))
            return False
        if self._client_finished:
            self._fail_body(EOFError())
        return keep_reading

    def _reject(self, status: HTTPStatus, message: str) -> None:
        self._send_error_response(status, message)
        self._close_transport()

    def _is_websocket_upgrade(self, _request: Any) -> bool:
        """Ignore upgrades, which is allowed for a server without WebSockets (RFC 9110, 7.8)."""
        return False

    def _arm_keepalive_timer(self) -> None:
        """Wait for another request, unless the client has closed its sending half."""
        if self._client_finished:
            self.close_idle()
        else:
            super()._arm_keepalive_timer()

    def _close_transport(self) -> None:
        """Close the connection fully; gunicorn may only half-close it after a disconnect."""
        if self._response_pending:
            self._response_pending = False
            return
        super()._close_transport()
        if self.transport:
            self.transport.close()

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
        body = b"" if self._callback_parser.method == b"HEAD" else response.body
        self._safe_write("\r\n".join(lines).encode("latin-1") + body)


protocol.PythonProtocol = HeadParser
for known_status in HTTPStatus:
    protocol._REASON_PHRASES.setdefault(known_status.value, known_status.phrase)
