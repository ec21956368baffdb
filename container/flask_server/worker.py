"""gunicorn's threaded worker, whose threads do not wait for slow clients, with errors in JSON."""

import math
import selectors
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from gunicorn import util
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import ThreadWorker

from container.connection_counts import CONNECTION_COUNTS, DEFER_SECONDS
from container.flask_server.connection import Connection
from container.flask_server.errors import write_json_error
from container.flask_server.lingering import Lingering
from container.flask_server.request import CheckedRequest
from container.request_head import InvalidHead
from serve.errors import Overloaded
from serve.threads import ThreadPool

# A worker accepts one connection at a time, and one more for this many that it holds. With one
# alone, a connection waited for up to 7 s behind 512 busy ones.
ACCEPTED_FRACTION = 16
# How many slow connections a full worker closes at a time.
MAX_CLOSED_PER_TURN = 64
# How long a worker that cannot open another socket waits before it tries again.
RETRY_SECONDS = 0.05
CHECK_SECONDS = 1.0


class FlaskWorker(ThreadWorker):
    """A worker whose threads get requests that have arrived completely.

    As long as half of the threads are free, they get each request at once, which is faster. On
    shutdown, the worker accepts all connections in the listen backlog.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request_count = 0
        self._next_check = 0.0
        self._idle_deadline = math.inf

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPool(self.cfg.threads)

    def accept(self, listener: Any) -> None:
        """Accept a few connections, after those workers that hold fewer."""
        self._publish_count()
        if not CONNECTION_COUNTS.may_accept(self.age):
            time.sleep(DEFER_SECONDS)
        for _ in range(1 + self.nr_conns // ACCEPTED_FRACTION):
            if not self._accept_one(listener):
                return

    def _publish_count(self) -> None:
        CONNECTION_COUNTS.set_count(self.age, self.nr_conns)

    def _accept_one(self, listener: Any) -> bool:
        """Accept a connection, which waits for its first request without a thread.

        Return False if there is none.
        """
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:  # too many open files
            self.log.warning("cannot accept a connection: %s", error)
            time.sleep(RETRY_SECONDS)
            return False
        self.nr_conns += 1
        connection = Connection(self, client, address, listener.getsockname())
        self.pending_conns.append(connection)
        self._wait_for_data(connection, self.on_pending_socket_readable)
        return True

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001  # gunicorn's signature
        if not enabled and not self.alive:
            for listener in self.sockets:
                while self._accept_one(listener):
                    pass
        super().set_accept_enabled(enabled)

    def run(self) -> None:
        self._lingering = Lingering(self.poller, self._end_linger)
        self._publish_count()
        super().run()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Handle events, and return often enough for the heartbeat."""
        super().wait_for_and_dispatch_events(min(timeout, self.timeout / 2))

    def on_pending_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Read a request, or let a thread do so."""
        if (conn.is_idle and self._has_spare_threads) or conn.receive():
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Read the next request of a connection, or let a thread do so."""
        if self._has_spare_threads or conn.sock.has_unread:
            super().on_client_socket_readable(conn, client)
            return
        self.keepalived_conns.remove(conn)
        self.pending_conns.append(conn)
        self.poller.unregister(client)
        self._wait_for_data(conn, self.on_pending_socket_readable)
        self.on_pending_socket_readable(conn, client)

    def enqueue_req(self, conn: Connection) -> None:
        """Let a thread handle a request, or handle it here if no thread can be started."""
        self._request_count += 1
        try:
            super().enqueue_req(conn)
        except Overloaded:
            future: Future[Any] = Future()
            future.set_result(self.handle(conn))
            self.finish_request(conn, future)

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        """Wait for the next request, unless it has arrived already, or close the connection."""
        self._request_count -= 1
        super().finish_request(conn, fs)
        if conn.sock.has_unread and conn in self.keepalived_conns:
            self.on_client_socket_readable(conn, conn.sock)

    def has_queued_requests(self) -> bool:
        """Return whether requests wait for a thread."""
        return self._request_count > int(self.cfg.threads)

    @property
    def _has_spare_threads(self) -> bool:
        return self._request_count < int(self.cfg.threads) // 2

    def murder_pending(self) -> None:
        """Close slow connections, in each turn of the event loop; more of them if it is full."""
        self._publish_count()
        now = monotonic()
        self._lingering.check_deadlines(now)
        if now >= self._next_check:
            self._next_check = now + CHECK_SECONDS
            for connection in list(self.pending_conns):
                delay = connection.find_delay(now)
                if delay or (connection.is_idle and now > self._idle_deadline):
                    self._give_up(connection, delay)
        if self.nr_conns >= self.worker_connections:
            self._close_slowest(now)

    def _cap_keepalive(self, deadline: float) -> None:
        """Close idle connections by a deadline, when the worker is stopping."""
        super()._cap_keepalive(deadline)
        self._idle_deadline = deadline

    def _close_slowest(self, now: float) -> None:
        connections: list[Connection] = [*self.pending_conns, *self.keepalived_conns]
        slow = [connection for connection in connections if connection.is_slow(now)]
        slow.sort(key=lambda connection: connection.waiting_since)
        for connection in slow[:MAX_CLOSED_PER_TURN]:
            if connection.is_slow(now):  # a request may have arrived meanwhile
                self._give_up(connection, connection.describe_pace(now))

    def _give_up(self, connection: Connection, reason: str) -> None:
        """Close an idle connection; respond to an incomplete request with status 408."""
        is_pending = connection in self.pending_conns
        (self.pending_conns if is_pending else self.keepalived_conns).remove(connection)
        self.poller.unregister(connection.sock)
        if connection.is_idle:
            self.nr_conns -= 1
            connection.close()
            return
        connection.data_ready = True
        connection.sock.fail(TimeoutError(reason))
        self.enqueue_req(connection)

    def linger(self, connection: Connection) -> None:
        """Close a connection whose last response has been sent, without blocking."""
        if self._lingering.add(connection):
            self.nr_conns += 1
        else:
            connection.close()

    def _end_linger(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.close()

    def _wait_for_data(self, connection: Connection, callback: Any) -> None:
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(callback, connection))

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        """Close the connection after the rest of a body that is invalid, without a second error."""
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except Exception:  # noqa: BLE001  # the response has been sent
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Respond to a request that could not be parsed."""
        if isinstance(exc, InvalidHead):
            with suppress(OSError):  # the client has disconnected
                write_json_error(client, exc.status, exc.status.phrase, str(exc))
        else:
            super().handle_error(req, client, addr, exc)


util.write_error = write_json_error
RequestParser.mesg_class = CheckedRequest
