"""gunicorn's ASGI worker, with connections shared out evenly, none held for ever, and no request lost when it is stopped."""

import asyncio
import math
import os
import socket
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker

from container.asgi_connection import Connection
from container.balance import Balance
from serve.http.body import STALL_SECONDS

BALANCE = Balance()
# How long a worker leaves a connection to one that holds fewer; then that one is busy, and it takes the connection itself.
DEFERENCE_SECONDS = 0.001
# How long it waits where it has no room for another connection.
FULL_SECONDS = 0.05
# How long a connection without a request is kept at the stop, since one may be on its way.
FAREWELL_SECONDS = 2.0
TICK_SECONDS = 1.0


class AsgiWorker(ASGIWorker):
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

    def init_signals(self) -> None:
        self._stopping = asyncio.Event()
        super().init_signals()

    def handle_exit_signal(self) -> None:
        self.alive = False
        self._stopping.set()

    async def _serve(self) -> None:
        self._note()
        for listener in self.sockets:
            self._listen(listener.sock)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            await self._pause(
                min(TICK_SECONDS, self.timeout / 2)
            )  # well within the time after which the arbiter kills it
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
        task = self.loop.create_task(
            self.loop.connect_accepted_socket(lambda: Connection(self), client)
        )
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
        while (
            self._held
            and not self._quick_shutdown
            and self.loop.time() < started + self.cfg.graceful_timeout - TICK_SECONDS
        ):
            if self.loop.time() > started + FAREWELL_SECONDS:
                for connection in [each for each in self.connections if each.is_idle]:
                    connection.close_idle()
            await asyncio.sleep(0.02)
