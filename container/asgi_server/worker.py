"""gunicorn's ASGI worker, with balanced connections and a graceful shutdown."""

import asyncio
import math
import os
import socket
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker

from container.asgi_server.connection import Connection
from container.asgi_server.fast_connection import FastConnection
from container.connection_counts import CONNECTION_COUNTS, DEFER_SECONDS
from serve.http.pace import STALL_SECONDS

# How long a worker that cannot hold another connection waits before it tries again.
RETRY_SECONDS = 0.05
# How many connections a worker accepts before it turns to those it holds. With one, a connection
# waited for 2 to 3 s behind 512 busy ones, because each waits for a turn of the event loop.
MAX_ACCEPTS_PER_TURN = 64
# After it has deferred to others, a worker accepts one connection for this many that it holds.
DEFERRED_FRACTION = 16
# How long a shutdown keeps idle connections open, because a request may be on its way.
IDLE_GRACE_SECONDS = 2.0
HEARTBEAT_SECONDS = 1.0
DRAIN_POLL_SECONDS = 0.02


class AsgiWorker(ASGIWorker):
    """A worker that leaves new connections to workers that hold fewer connections.

    On shutdown, it accepts all connections in the listen backlog, and responds to their requests.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[Connection] = set()
        self._starting: set[asyncio.Task[Any]] = set()
        self._slow: list[Connection] = []
        self._next_search = 0.0

    def connection_opened(self, connection: Connection) -> None:
        """Add a connection."""
        self.connections.add(connection)

    def connection_closed(self, connection: Connection) -> None:
        """Remove a connection."""
        self.connections.discard(connection)
        self._publish_count()

    def init_process(self) -> None:
        """Make gunicorn disconnect a client whose body stalls for STALL_SECONDS.

        gunicorn uses its timeout setting for that. This does not change the arbiter's timeout.
        """
        self.cfg.set("timeout", math.ceil(STALL_SECONDS))
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        # Another application, such as a benchmark's, has no fast path.
        has_fast_path = getattr(self.asgi, "fast_path", False)
        self._connection_class = FastConnection if has_fast_path else Connection

    def init_signals(self) -> None:
        self._stopping = asyncio.Event()
        super().init_signals()

    def handle_exit_signal(self) -> None:
        self.alive = False
        self._stopping.set()

    async def _serve(self) -> None:
        self._publish_count()
        for listener in self.sockets:
            self._listen(listener.sock)
        # Well within the timeout, after which the arbiter kills a worker without a heartbeat.
        heartbeat_seconds = min(HEARTBEAT_SECONDS, self.timeout / 2)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._close_unread_connections()
            await self._sleep_unless_stopping(heartbeat_seconds)
        await self._drain()

    async def _sleep_unless_stopping(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _listen(self, listener: socket.socket) -> None:
        if self.alive:
            self.loop.add_reader(listener, self._accept_or_defer, listener)

    def _accept_or_defer(self, listener: socket.socket) -> None:
        """Accept connections until none is pending, or another worker holds fewer."""
        for _ in range(MAX_ACCEPTS_PER_TURN):
            if not CONNECTION_COUNTS.may_accept(self.age):
                self._pause_listening(listener, DEFER_SECONDS, self._accept_deferred)
                return
            if not self._accept_or_replace(listener):
                return

    def _pause_listening(self, listener: socket.socket, seconds: float, resume: Any) -> None:
        self.loop.remove_reader(listener)
        self.loop.call_later(seconds, resume, listener)

    def _accept_deferred(self, listener: socket.socket) -> None:
        if self.alive:
            self._listen(listener)
            for _ in range(1 + self._connection_count // DEFERRED_FRACTION):
                if not self._accept_or_replace(listener):
                    return

    def _accept_or_replace(self, listener: socket.socket) -> bool:
        """Accept a connection; if the worker is full, close the slowest one in its favor.

        Return False if there is nothing to accept, or nothing to close.
        """
        if not self._is_full:
            return self._accept(listener)
        slowest = self._find_slowest()
        if slowest is None:
            self._pause_listening(listener, RETRY_SECONDS, self._listen)
            return False
        if not self._accept(listener):
            return False
        slowest.close_slow()
        self.connection_closed(slowest)
        return True

    def _find_slowest(self) -> Connection | None:
        """Return the connection that has been idle or slow for the longest time."""
        now = self.loop.time()
        if not self._slow and now >= self._next_search:
            self._next_search = now + RETRY_SECONDS
            self._slow = [connection for connection in self.connections if connection.is_slow(now)]
            self._slow.sort(key=lambda connection: connection.waiting_since, reverse=True)
        while self._slow:
            connection = self._slow.pop()
            if connection in self.connections and connection.is_slow(now):
                return connection
        return None

    def _accept(self, listener: socket.socket) -> bool:
        """Accept a pending connection; return False if there is none."""
        try:
            client, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:  # too many open files
            self.log.warning("cannot accept a connection: %s", error)
            self._pause_listening(listener, RETRY_SECONDS, self._listen)
            return False
        client.setblocking(False)
        task = self.loop.create_task(
            self.loop.connect_accepted_socket(lambda: self._connection_class(self), client)
        )
        self._starting.add(task)
        task.add_done_callback(self._connection_started)
        self._publish_count()
        return True

    def _connection_started(self, task: asyncio.Task[Any]) -> None:
        self._starting.discard(task)
        self._publish_count()

    @property
    def _is_full(self) -> bool:
        return self._connection_count >= int(self.worker_connections)

    @property
    def _connection_count(self) -> int:
        return len(self.connections) + len(self._starting)

    def _publish_count(self) -> None:
        CONNECTION_COUNTS.set_count(self.age, self._connection_count)

    async def _drain(self) -> None:
        """Accept all queued connections, then wait until every connection is closed.

        The wait ends shortly before the arbiter kills the worker.
        """
        for listener in self.sockets:
            self.loop.remove_reader(listener.sock)
            while self._accept(listener.sock):
                pass
            listener.close()
        started = self.loop.time()
        deadline = started + self.cfg.graceful_timeout - HEARTBEAT_SECONDS
        while self._connection_count and not self._quick_shutdown and self.loop.time() < deadline:
            if self.loop.time() > started + IDLE_GRACE_SECONDS:
                self._close_idle_connections()
            self.notify()
            await asyncio.sleep(DRAIN_POLL_SECONDS)

    def _close_unread_connections(self) -> None:
        now = self.loop.time()
        for connection in list(self.connections):
            connection.close_unread(now)

    def _close_idle_connections(self) -> None:
        for connection in [connection for connection in self.connections if connection.is_idle]:
            connection.close_idle()
