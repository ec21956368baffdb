"""Threads whose work is rejected, not lost, if the system refuses to start the first of them."""

from concurrent.futures import ThreadPoolExecutor

from serve.errors import Overloaded


class ThreadPool(ThreadPoolExecutor):
    """A pool whose threads also do the work of those that the system refuses to start.

    ``submit`` raises Overloaded if no thread can start.
    """

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError as error:
            if not self._threads:
                self._work_queue.get_nowait()  # what ``submit`` has just added
                raise Overloaded(
                    "the system refuses to start another thread; retry later, or raise the limit "
                    "on the container's processes"
                ) from error
