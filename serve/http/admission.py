"""A limit on the number of invocations that one worker has in flight."""

import threading
from collections.abc import Iterator
from types import TracebackType

from serve.errors import Overloaded
from serve.text import counted


class InFlightLimit:
    """A thread-safe context manager, entered once per invocation.

    An invocation is in flight from the moment its body has arrived until it has its response.
    Entering raises Overloaded if ``maximum`` invocations are already in flight.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._count = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.check()
            self._count += 1

    def check(self) -> None:
        """Raise Overloaded if no further invocation may enter now."""
        if self._count >= self._maximum:
            in_flight = counted(self._count, "invocation")
            raise Overloaded(f"the queue is full, with {in_flight} in flight; retry later")

    def count_while_streaming(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks of a streamed response, which is in flight until its last chunk.

        Never raises Overloaded, because the invocation itself has been admitted.
        """
        with self._lock:
            self._count += 1
        try:
            yield from chunks
        finally:
            self.__exit__(None, None, None)

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._count -= 1
