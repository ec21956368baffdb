"""A client's socket that gives up on a client that sends or reads too slowly."""

import socket
import struct
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from container.sockets import count_queued_bytes
from serve.http.pace import (
    MAX_UNREAD_SECONDS,
    STALL_SECONDS,
    describe_pace,
    describe_stall,
    is_too_slow,
)

# A client gets only this long if other requests wait for the thread that waits for it.
CROWDED_STALL_SECONDS = 5.0
# A blocking call returns this often, so the thread can decide whether it goes on waiting.
CHECK_INTERVAL = struct.pack("ll", 1, 0)


class PacedSocket(socket.socket):
    """A socket whose blocking ``recv`` and ``sendall`` raise TimeoutError for a slow client.

    With a timeout of its own, also of 0 seconds, it behaves like any socket. ``method`` is that of
    the last request.
    """

    method: str | None = None

    def __init__(self, client: socket.socket, is_crowded: Callable[[], bool]) -> None:
        super().__init__(fileno=client.detach())
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.setsockopt(socket.SOL_SOCKET, option, CHECK_INTERVAL)
        self._is_crowded = is_crowded
        self._unread: deque[bytes] = deque()
        self._error: TimeoutError | None = None
        self.start_request()

    def start_request(self) -> None:
        """Measure the pace of the next request from now on."""
        self.started = monotonic()
        self.received_bytes = 0

    def receive_early(self, size: int) -> bytes:
        """Return what has arrived, which ``recv`` will return again; for a non-blocking socket."""
        data = super().recv(size)
        self.received_bytes += len(data)
        self._unread.append(data)
        return data

    @property
    def has_unread(self) -> bool:
        """Whether ``recv`` returns data at once."""
        return bool(self._unread)

    def fail(self, error: TimeoutError) -> None:
        """Make ``recv`` raise an error once it has returned all that was received."""
        self._error = error

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return the next bytes, or b"" at the end; raises TimeoutError for a slow client."""
        if self._unread:
            return self._recv_unread(size)
        if self._error:
            raise self._error
        if self.gettimeout() is not None:
            return super().recv(size, flags)
        data: bytes = self._wait_for(STALL_SECONDS, super().recv, size, flags)
        self.received_bytes += len(data)
        seconds = monotonic() - self.started
        max_seconds = self._limit(STALL_SECONDS)
        if data and seconds > max_seconds and is_too_slow(self.received_bytes, seconds):
            raise TimeoutError(describe_pace(self.received_bytes, seconds))
        return data

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
        """Send data; raises TimeoutError if the client does not read it."""
        if self.gettimeout() is not None:
            super().sendall(data, flags)
            return
        unsent = memoryview(data)
        while unsent:
            sent_bytes = self._wait_for(MAX_UNREAD_SECONDS, self.send, unsent, flags)
            unsent = unsent[sent_bytes:]

    def _recv_unread(self, size: int) -> bytes:
        data = self._unread.popleft()
        if len(data) > size:
            self._unread.appendleft(data[size:])
        return data[:size]

    def _wait_for(self, max_seconds: float, call: Callable[..., Any], *arguments: Any) -> Any:
        """Repeat a call until it returns; raises TimeoutError if the client also reads nothing."""
        waiting_since, queued_bytes = monotonic(), 0
        while True:
            try:
                return call(*arguments)
            except BlockingIOError as error:
                if queued_bytes != (queued_bytes := count_queued_bytes(self)):
                    waiting_since = monotonic()
                seconds = monotonic() - waiting_since
                if seconds > self._limit(max_seconds):
                    raise TimeoutError(describe_stall(seconds)) from error

    def _limit(self, max_seconds: float) -> float:
        return CROWDED_STALL_SECONDS if self._is_crowded() else max_seconds
