"""Balance: how many connections each worker holds, in memory that all of them share.

Without it the worker whose event loop wakes first takes all connections that arrive together, keeps them, and leaves the other
processors idle: of 8 connections over 2 workers it often took 8.
"""

import mmap

import numpy as np

PLACES = 1024
NOBODY = np.iinfo(np.uint32).max


class Balance:
    """Made before the fork; each worker writes only the count of its own place."""

    def __init__(self) -> None:
        self._counts = np.frombuffer(
            mmap.mmap(-1, PLACES * np.dtype(np.uint32).itemsize), dtype=np.uint32
        )
        self._counts.fill(NOBODY)

    def note(self, worker_age: int, connections: int) -> None:
        """Write how many connections a worker holds; its age is gunicorn's number for it."""
        self._counts[worker_age % PLACES] = connections

    def forget(self, worker_age: int) -> None:
        """Leave a worker out that is no more."""
        self._counts[worker_age % PLACES] = NOBODY

    def may_take(self, worker_age: int) -> bool:
        """Tell whether a worker holds no more connections than the one with fewest, or one more, which is no reason to wait."""
        return bool(self._counts[worker_age % PLACES] <= self._counts.min() + 1)
