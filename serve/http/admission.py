"""InFlightLimit: the invocations of one worker that have arrived whole and are not answered yet, up to a limit."""

import threading
from collections.abc import Iterator
from types import TracebackType

from serve.errors import Overloaded
from serve.text import counted


class InFlightLimit:
    """A bound on what waits: entered once for each invocation, by any thread; raises Overloaded when it is full."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._held >= self._most:
                raise Overloaded(
                    f"{counted(self._held, 'invocation')} wait here already: try again in a moment"
                )
            self._held += 1

    def holding(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pieces of a reply; from the first to the last they hold a place, beside that of the invocation so far."""
        with self._lock:
            self._held += 1
        try:
            yield from pieces
        finally:
            self.__exit__(None, None, None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._held -= 1
