"""gunicorn's threaded worker, which loses no request when it is stopped and never answers in HTML."""

import select
import socket
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

from serve.http.body import STALL_SECONDS
from serve.http.messages import error_body


class Connection(TConn):
    """A connection whose caller must send on within a time."""

    def init(self) -> None:
        super().init()
        self.sock.settimeout(STALL_SECONDS)


class FlaskWorker(ThreadWorker):
    """A worker that, once told to stop, still takes the connections that the kernel has accepted for it."""

    def accept(self, listener: Any) -> None:
        """Accept as gunicorn does, but a connection that a silent caller does not hold for ever."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname()))

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001  # gunicorn's signature
        if not enabled and not self.alive:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
        super().set_accept_enabled(enabled)


def write_json_error(connection: socket.socket, status: int, reason: str, message: str) -> None:
    """HttpResponse what is no HTTP as every other error is answered; gunicorn's own answer is a page of HTML."""
    body = error_body("".join(reason.split()), message)
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    util.write_nonblock(connection, head.encode("latin-1") + body)


util.write_error = write_json_error
