"""The number of connections that each worker holds, in memory that all workers share.

Without these counts, the worker whose event loop wakes first accepts all connections that arrive
together, and the other processors stay idle: with 2 workers, one often accepted all 8 connections.
"""

import mmap

import numpy as np

SLOTS = 1024
NO_WORKER = np.iinfo(np.uint32).max


class ConnectionCounts:
    """Shared memory, mapped before the fork; each worker writes only its own slot.

    The slot of a worker depends on its age, which is what gunicorn calls its serial number.
    """

    def __init__(self) -> None:
        memory = mmap.mmap(-1, SLOTS * np.dtype(np.uint32).itemsize)
        self._counts = np.frombuffer(memory, dtype=np.uint32)
        self._counts.fill(NO_WORKER)

    def set_count(self, worker_age: int, connections: int) -> None:
        """Record how many connections a worker holds."""
        self._counts[worker_age % SLOTS] = connections

    def remove(self, worker_age: int) -> None:
        """Exclude a worker that has exited."""
        self._counts[worker_age % SLOTS] = NO_WORKER

    def may_accept(self, worker_age: int) -> bool:
        """Return whether a worker holds at most one connection more than any other worker."""
        return bool(self._counts[worker_age % SLOTS] <= self._counts.min() + 1)
