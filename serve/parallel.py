"""ParallelMap: predict the slices of one large payload on several threads.

XGBoost releases the GIL while it predicts, so a single large payload can use all processors.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import cached_property
from typing import TypeVar

from serve.threads import ThreadPool

Slice = TypeVar("Slice")
Result = TypeVar("Result")


class ParallelMap:
    """A thread pool that is created, after the fork, for the first payload of several slices."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def map(self, function: Callable[[Slice], Result], slices: Iterable[Slice]) -> Iterator[Result]:
        """Yield ``function(slice)`` for each slice, in order.

        A single slice is processed in the calling thread. At most ``threads`` + 1 slices are in
        memory at once, so the payload is decoded no faster than it is predicted.
        """
        iterator = iter(slices)
        first = next(iterator, None)
        if first is None:
            return
        second = next(iterator, None) if self.threads > 1 else None
        if second is None:
            yield function(first)
            yield from map(function, iterator)
            return
        pending: deque[Future[Result]] = deque()
        pending.append(self._pool.submit(function, first))
        pending.append(self._pool.submit(function, second))
        for next_slice in iterator:
            pending.append(self._pool.submit(function, next_slice))
            if len(pending) > self.threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    @cached_property
    def _pool(self) -> ThreadPool:
        return ThreadPool(self.threads, "predict")
