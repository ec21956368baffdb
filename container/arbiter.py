"""gunicorn's arbiter, without the race in which a new worker loses its signals."""

import signal

from gunicorn.arbiter import Arbiter

# A worker installs its own handlers for these signals. Until then, it has the arbiter's, which only
# queue the signals.
WORKER_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT)


class SignalSafeArbiter(Arbiter):
    """An arbiter that blocks signals during the fork, so early signals are delivered after it."""

    def spawn_worker(self) -> int:
        """Fork a worker, which unblocks the signals once its handlers are installed.

        Otherwise a SIGTERM within the worker's first milliseconds has no effect, and the server
        stops only after ``graceful_timeout`` (20 s), by SIGKILL.
        """
        previous_mask = signal.pthread_sigmask(signal.SIG_BLOCK, WORKER_SIGNALS)
        try:
            pid: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, previous_mask)
        return pid


def unblock_signals() -> None:
    """Deliver the signals blocked since the fork; a worker calls this once it has handlers."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WORKER_SIGNALS)
