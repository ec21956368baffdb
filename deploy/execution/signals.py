"""Holds Ctrl-C, and what ends a program from outside, until what must not be cut in two is done."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
)  # Ctrl-C, CI that cancels a job, and a terminal that is closed
SAID = b"\nbreaking off, once AWS has answered\n"


class Interruption:
    """Holds the signals that end a program, each as Ctrl-C, but where it lets them in."""

    def __init__(self) -> None:
        self._came = self._lets_in = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals, but those that this program is to ignore, as under nohup."""
        for one in SIGNALS:
            if signal.getsignal(one) not in (signal.SIG_IGN, None):
                self._before[one] = signal.signal(one, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for one, handler in self._before.items():
            signal.signal(one, handler)

    @contextmanager
    def let_in(self) -> Iterator[None]:
        """Raise KeyboardInterrupt if a signal came, or once the first comes in the block."""
        self._lets_in = True
        try:
            if self._came:
                raise KeyboardInterrupt
            yield
        finally:
            self._lets_in = False

    def _take(self, _: int, __: FrameType | None) -> None:
        first, self._came = not self._came, True
        if not first:
            return
        if self._lets_in:
            raise KeyboardInterrupt
        with suppress(OSError):  # of a terminal that is closed
            os.write(2, SAID)
