"""gunicorn's ASGI worker, with connections shared out evenly, none held for ever, and no request lost when it is stopped."""

import asyncio
import math
import os
import socket
from http import HTTPStatus
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers.gasgi import ASGIWorker

from container.balance import Balance
from serve.answer import error_line
from serve.errors import BrokenPayload
from serve.payload import STALL_SECONDS

BALANCE = Balance()
# How long a worker leaves a connection to one that holds fewer; then that one is busy, and it takes the connection itself.
DEFERENCE_SECONDS = 0.001
# How long it waits where it has no room for another connection.
FULL_SECONDS = 0.05
# How long a connection without a request is kept at the stop, since one may be on its way.
FAREWELL_SECONDS = 2.0
TICK_SECONDS = 1.0


class Connection(ASGIProtocol):
    """A connection whose caller must begin a request within a time, and may close its own half of it after one."""

    worker: "LeanWorker"

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
        """Answer the requests that came whole before the end, and as broken off the one that did not."""
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
        """Answer in HTTP, as a server may that offers no other protocol (RFC 9110, 7.8)."""
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
        """Answer what is no HTTP as every other error is answered."""
        reason = self._get_reason_phrase(status)
        error = "".join(reason.split())
        if self._current_request is None:
            address, *_ = self.transport.get_extra_info("peername") or ("unknown",)  # of one that is gone nothing is known
            self.log.warning("Invalid request from ip=%s", address)
            message = f"this is no HTTP request: {message}" if message else "this is no HTTP request"
        else:
            error, message = BrokenPayload.__name__, f"the body broke off: {message}"
        body = error_line(error, message)
        lines = [f"HTTP/1.1 {status} {reason}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in extra_headers]
        self._safe_write("\r\n".join([*lines, "Connection: close", "\r\n"]).encode("latin-1") + body)


async def _ended_early() -> bytes:
    raise EOFError


class LeanWorker(ASGIWorker):
    """A worker that takes a connection where it holds no more than the others, and at the stop all that the kernel holds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[Connection] = set()
        self._starting: set[asyncio.Task[Any]] = set()

    def took(self, connection: Connection) -> None:
        """Note a connection that was made."""
        self.connections.add(connection)

    def lost(self, connection: Connection) -> None:
        """Note a connection that is no more."""
        self.connections.discard(connection)
        self._note()

    def init_process(self) -> None:
        """Let gunicorn give up a body that stops, by the setting that it takes for that; the arbiter has its own copy of it."""
        self.cfg.set("timeout", math.ceil(STALL_SECONDS))
        super().init_process()

    def handle_exit_signal(self) -> None:
        self.alive = False
        self._stopping.set()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        self._note()
        for listener in self.sockets:
            self._listen(listener.sock)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            await self._pause(min(TICK_SECONDS, self.timeout / 2))  # well within the time after which the arbiter kills it
        await self._drain()

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not beyond the signal to stop."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _listen(self, listener: socket.socket) -> None:
        if self.alive:
            self.loop.add_reader(listener, self._accept_or_defer, listener)

    def _accept_or_defer(self, listener: socket.socket) -> None:
        """Accept a connection, unless another worker that holds fewer is there to take it."""
        if self._held >= self.worker_connections:
            self._defer(listener, FULL_SECONDS, self._listen)
        elif BALANCE.may_take(self.age):
            self._accept(listener)
        else:
            self._defer(listener, DEFERENCE_SECONDS, self._accept_late)

    def _defer(self, listener: socket.socket, seconds: float, then: Any) -> None:
        self.loop.remove_reader(listener)
        self.loop.call_later(seconds, then, listener)

    def _accept_late(self, listener: socket.socket) -> None:
        if self.alive:
            self._listen(listener)
            self._accept(listener)

    def _accept(self, listener: socket.socket) -> bool:
        """Accept one connection; tell whether there was one."""
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:  # no more files may be open
            self.log.warning("cannot accept a connection: %s", error)
            self._defer(listener, FULL_SECONDS, self._listen)
            return False
        client.setblocking(False)
        task = self.loop.create_task(self.loop.connect_accepted_socket(lambda: Connection(self), client))
        self._starting.add(task)
        task.add_done_callback(self._started)
        self._note()
        return True

    def _started(self, task: asyncio.Task[Any]) -> None:
        self._starting.discard(task)
        self._note()

    @property
    def _held(self) -> int:
        return len(self.connections) + len(self._starting)

    def _note(self) -> None:
        BALANCE.note(self.age, self._held)

    async def _drain(self) -> None:
        """Take what the kernel has accepted, and answer what arrives on the connections until they end or the time is over."""
        for listener in self.sockets:
            self.loop.remove_reader(listener.sock)
            while self._accept(listener.sock):
                pass
            listener.close()
        started = self.loop.time()
        # Before the arbiter's own patience ends.
        while self._held and not self._quick_shutdown and self.loop.time() < started + self.cfg.graceful_timeout - TICK_SECONDS:
            if self.loop.time() > started + FAREWELL_SECONDS:
                for connection in [each for each in self.connections if each.is_idle]:
                    connection.close_idle()
            await asyncio.sleep(0.02)
