"""gunicorn's master process, which never loses a signal that it sends to a worker it has just forked."""

import signal

from gunicorn.arbiter import Arbiter

# What a worker handles in its own way; until then it has the master's handlers, which only queue.
WORKER_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT)


class SignalSafeArbiter(Arbiter):
    """A master that blocks signals around the fork, so one sent early is delivered late."""

    def spawn_worker(self) -> int:
        """Fork a worker, which unblocks the signals once its handlers are installed.

        Without this, a SIGTERM within the worker's first milliseconds had no effect, and the
        server stopped only after ``graceful_timeout`` (20 s), by SIGKILL.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WORKER_SIGNALS)
        try:
            pid: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid


def unblock_signals() -> None:
    """Deliver the signals that arrived since the fork; called by a worker that can handle them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WORKER_SIGNALS)
