"""gunicorn's arbiter, made safe for refused forks, paused containers and early signals."""

import logging
import signal
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from serve.logs import log_event

# A worker installs its own handlers for these signals. Until then, it has the arbiter's, which only
# queue the signals.
WORKER_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT)
# A worker that fails to start this early would fail again, so the server exits. Later, it is a
# shortage of the system, which may end.
START_SECONDS = 30.0
RETRY_SECONDS = 1.0
# The arbiter checks its workers about once a second. After a longer pause, such as that of a frozen
# container, the workers have not run either.
MAX_PAUSE_SECONDS = 5.0


class ResilientArbiter(Arbiter):
    """An arbiter that keeps its workers where gunicorn's own stops them.

    If the system refuses to start a worker, it tries again once a second. If it was paused itself,
    it does not take its workers for stuck.
    """

    def __init__(self, application: Any, log_start: Callable[[], None]) -> None:
        super().__init__(application)
        self._log_start = log_start
        self._started = monotonic()
        self._has_worker = False
        self._is_refused = False
        self._next_attempt = 0.0
        self._last_check = self._resumed = self._started

    def spawn_workers(self) -> None:
        """Start as many workers as are missing, but at most once a second after a refusal."""
        if monotonic() >= self._next_attempt:
            super().spawn_workers()

    def spawn_worker(self) -> int:
        """Fork a worker, and return its process ID, or 0 if the system refuses.

        Signals are blocked during the fork; the worker unblocks them once its handlers are
        installed. Otherwise a SIGTERM within the worker's first milliseconds has no effect, and the
        server stops only after ``graceful_timeout`` (20 s), by SIGKILL.
        """
        previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, WORKER_SIGNALS)
        try:
            pid: int = super().spawn_worker()
        except OSError as error:  # no more processes, memory or open files
            self._handle_refusal(error.strerror or str(error))
            return 0
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)
        if not self._has_worker:
            self._log_start()
        self._has_worker, self._is_refused = True, False
        return pid

    def murder_workers(self) -> None:
        """Kill the workers that are stuck for ``timeout`` seconds in which they could run."""
        now = monotonic()
        if now - self._last_check > MAX_PAUSE_SECONDS:
            self._resumed = now
        self._last_check = now
        if now - self._resumed > self.timeout:
            super().murder_workers()

    def reap_workers(self) -> None:
        """Reap workers that have exited; one that failed to start ends only a new server."""
        try:
            super().reap_workers()
        except HaltServer as error:
            if monotonic() - self._started < START_SECONDS:
                raise
            self._handle_refusal(error.reason)

    def _handle_refusal(self, reason: str) -> None:
        """Log the first of several refusals; exit with one line if there has been no worker yet."""
        if not self._has_worker:
            sys.exit(f"cannot serve: cannot start a worker process: {reason}")
        self.worker_age -= 1  # the ages of workers remain consecutive
        if not self._is_refused:
            log_event(logging.ERROR, "cannot start a worker", reason=reason)
        self._is_refused = True
        self._next_attempt = monotonic() + RETRY_SECONDS


def unblock_signals() -> None:
    """Deliver the signals blocked since the fork; a worker calls this once it has handlers."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WORKER_SIGNALS)
