"""The number of connections that each worker holds, in memory that all workers share.

Without these counts, the worker whose event loop wakes first accepts all connections that arrive
together, and the other processors stay idle: with 2 workers, one often accepted all 8 connections.
"""

import mmap

import numpy as np

SLOTS = 1024
# A worker may hold one connection more than another worker, and one more for each so many. With
# many connections, accepting them without delay matters more than an exact balance.
CONNECTIONS_PER_TOLERATED = 12
# How long a worker leaves a new connection to workers that hold fewer connections. After that,
# those workers must be busy, so this worker accepts the connection.
DEFER_SECONDS = 0.001
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
        """Return whether a worker holds about as few connections as any other worker."""
        fewest = int(self._counts.min())
        most = fewest + 1 + fewest // CONNECTIONS_PER_TOLERATED
        return bool(self._counts[worker_age % SLOTS] <= most)


CONNECTION_COUNTS = ConnectionCounts()
