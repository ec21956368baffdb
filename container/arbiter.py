"""gunicorn's arbiter, without the race that lost signals to a worker that was just forked."""

import signal

from gunicorn.arbiter import Arbiter

# A worker installs its own handlers for these. Until then it has the arbiter's, which only queue.
WORKER_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT)


class SignalSafeArbiter(Arbiter):
    """An arbiter that blocks signals around the fork, so an early signal is delivered later."""

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
    """Deliver the signals since the fork; called by a worker whose handlers are installed."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WORKER_SIGNALS)
