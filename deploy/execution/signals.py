"""Defers SIGINT, SIGTERM and SIGHUP until the current AWS call has returned."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Self

# Ctrl-C, a canceled CI job, and a closed terminal.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NOTICE = b"\ninterrupted: stopping after the current AWS call\n"


class DeferredSignals:
    """Defers signals, and raises each as KeyboardInterrupt where ``deliver`` allows it.

    Only the first signal has an effect.
    """

    def __init__(self) -> None:
        self._received = self._delivers = False
        self._previous_handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Install the handlers, except for signals that the process ignores, as under nohup."""
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._previous_handlers[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the previous handlers."""
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    @contextmanager
    def deliver(self) -> Iterator[None]:
        """Raise KeyboardInterrupt for a deferred signal, or for the first one within the block."""
        self._delivers = True
        try:
            if self._received:
                raise KeyboardInterrupt
            yield
        finally:
            self._delivers = False

    def _handle(self, _: int, __: FrameType | None) -> None:
        if self._received:
            return
        self._received = True
        if self._delivers:
            raise KeyboardInterrupt
        with suppress(OSError):  # the terminal may be closed
            os.write(2, NOTICE)
