"""A connection of the ASGI front end: none is silent for ever, what breaks off is told at once, and what is no HTTP in JSON."""

import asyncio
from http import HTTPStatus
from typing import Any, Protocol

from gunicorn.asgi.protocol import ASGIProtocol

from serve.errors import IncompleteBody
from serve.http.body import STALL_SECONDS
from serve.http.messages import error_body


class Keeper(Protocol):
    """The worker that holds a connection, and wants to hear of its beginning and its end."""

    loop: asyncio.AbstractEventLoop

    def took(self, connection: "Connection") -> None:
        """Note a connection that was made."""

    def lost(self, connection: "Connection") -> None:
        """Note a connection that is no more."""


class Connection(ASGIProtocol):
    """A connection whose caller must begin a request within a time, and may close its own half of it after one."""

    worker: Keeper

    def connection_made(self, transport: Any) -> None:
        self._ended = False
        super().connection_made(transport)
        self.worker.took(self)
        self._silence = self.worker.loop.call_later(STALL_SECONDS, self._end_silence)

    def connection_lost(self, exc: Exception | None) -> None:
        self._silence.cancel()
        super().connection_lost(exc)
        self.worker.lost(self)

    def eof_received(self) -> bool:
        """HttpResponse the requests that came whole before the end, and as broken off the one that did not."""
        self._ended = True
        if self._current_request is None:
            return False
        self._end_body()
        return True

    def _feed_callback_parser(self, data: bytes) -> bool:
        """Parse what came; what the caller has ended is not waited for, also in a request that came behind another."""
        try:
            goes_on = bool(super()._feed_callback_parser(data))
        except ValueError:  # int() refuses thousands of digits
            self._send_error_response(400, "a number in it has too many digits")
            self._close_transport()
            return False
        if self._ended:
            self._end_body()
        return goes_on

    def _end_body(self) -> None:
        """Let the body end where it is not whole and no more will come, after all of it that did come."""
        body = self._body_receiver
        if body and not body._complete:
            body._source = _ended_early
            body._wake_waiter()

    def _is_websocket_upgrade(self, _request: Any) -> bool:
        """HttpResponse in HTTP, as a server may that offers no other protocol (RFC 9110, 7.8)."""
        return False

    def _arm_keepalive_timer(self) -> None:
        """Wait for a further request, unless the caller said that there is none."""
        if self._ended:
            self.close_idle()
        else:
            super()._arm_keepalive_timer()

    @property
    def is_idle(self) -> bool:
        """Whether no request has arrived that is not answered."""
        return bool(self._current_request is None)

    def close_idle(self) -> None:
        """Close the connection as gunicorn does when it was kept alive for long enough."""
        self._keepalive_timeout()

    def _close_transport(self) -> None:
        """Close the connection even where its caller is gone, and the end of writing cannot be told any more."""
        super()._close_transport()
        if self.transport:
            self.transport.close()

    def _end_silence(self) -> None:
        if self.is_idle and self.req_count <= 1:
            self.close_idle()

    def _get_reason_phrase(self, status: int) -> str:
        """Know the statuses that gunicorn sends and has no phrase for, such as 431."""
        known: str = super()._get_reason_phrase(status)
        return HTTPStatus(status).phrase if known == "Unknown" else known

    def _send_error_response(self, status: int, message: str, extra_headers: Any = ()) -> None:
        """HttpResponse what is no HTTP as every other error is answered."""
        reason = self._get_reason_phrase(status)
        error = "".join(reason.split())
        if self._current_request is None:
            address, *_ = self.transport.get_extra_info("peername") or (
                "unknown",
            )  # of one that is gone nothing is known
            self.log.warning("Invalid request from ip=%s", address)
            message = (
                f"this is no HTTP request: {message}" if message else "this is no HTTP request"
            )
        else:
            error, message = IncompleteBody.__name__, f"the body broke off: {message}"
        body = error_body(error, message)
        lines = [
            f"HTTP/1.1 {status} {reason}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        lines += [f"{name}: {value}" for name, value in extra_headers]
        self._safe_write(
            "\r\n".join([*lines, "Connection: close", "\r\n"]).encode("latin-1") + body
        )


async def _ended_early() -> bytes:
    raise EOFError
