"""ParallelMap: the slices of a large payload predicted by several threads at once, while the next one is decoded.

XGBoost lets go of the interpreter while it predicts, so a lone large payload uses all processors.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

Slice = TypeVar("Slice")
Scored = TypeVar("Scored")


class ParallelMap:
    """Threads of this process, started with the first payload of several slices: after the fork of the workers."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    def each(self, predict: Callable[[Slice], Scored], slices: Iterable[Slice]) -> Iterator[Scored]:
        """Yield the predictions of each slice, in order; a few more slices are taken than predictions were yielded."""
        iterator = iter(slices)
        first = next(iterator, None)
        if first is None:
            return
        second = next(iterator, None) if self._threads > 1 else None
        if second is None:
            yield predict(first)
            yield from map(predict, iterator)
            return
        waiting: deque[Future[Scored]] = deque(
            self._pool.submit(predict, each) for each in (first, second)
        )
        for each in iterator:
            waiting.append(self._pool.submit(predict, each))
            if len(waiting) > self._threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, "predict")
