"""A job: slices go out several at once, and their replies come together in order.

Source: contract 5.6 and 5.9.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

from local_test.batch.invoking import Container
from local_test.batch.slices import Slice

# Slices that are out or wait for an earlier one's reply, for each that may be under way: what bounds the memory.
WINDOW = 2
# Formats whose replies have a line for each record.
BY_LINES = ("text/csv", "application/jsonlines")


@dataclass(slots=True)
class Count:
    """How far a job is."""

    slices: int = 0
    rows: int = 0


def transform(
    slices: Iterator[Slice],
    container: Container,
    output: IO[bytes],
    moved: Callable[[Count], None],
    warn: Callable[[str], None],
) -> Count:
    """Send slices and write their replies in order, each with a line end at its end; raises JobFailed.

    Args:
        slices: what is sent.
        container: where it is sent, and how many at once.
        output: where the replies go.
        moved: is called after each reply is written.
        warn: is called with a line for each reply that does not have a line for each row.
    """
    count = Count()
    pool = ThreadPoolExecutor(container.at_once)
    try:
        for part, reply in _replies(slices, container, pool):
            output.write(reply if reply.endswith(b"\n") or not reply else reply + b"\n")
            count.slices, count.rows = part.number, part.first_row + part.records - 1
            _compare(part, reply, container.accept or container.content_type, warn)
            moved(count)
    finally:
        container.stopped.set()
        pool.shutdown(cancel_futures=True)
    return count


def _replies(
    slices: Iterator[Slice], container: Container, pool: ThreadPoolExecutor
) -> Iterator[tuple[Slice, bytes]]:
    """Yield each slice with its reply, in order, while later ones are under way."""
    waiting: deque[tuple[Slice, Future[bytes]]] = deque()
    while True:
        for part in itertools.islice(slices, container.at_once * WINDOW - len(waiting)):
            waiting.append((part, pool.submit(container.invoke, part)))
        if not waiting:
            return
        part, future = waiting.popleft()
        yield part, future.result()


def _compare(part: Slice, reply: bytes, media_type: str, warn: Callable[[str], None]) -> None:
    """Warn if a reply has not a line for each row: then lines of the output no longer stand beside those of the input."""
    if media_type.partition(";")[0].strip() not in BY_LINES:
        return
    lines = reply.count(b"\n") + (bool(reply) and not reply.endswith(b"\n"))
    if lines == part.records:
        return
    blank = part.records - lines <= part.blank_at_the_end and lines < part.records
    why = (
        "its blank last lines are no records"
        if blank
        else "is there a line end in quotes, a header, or a comment?"
    )
    warn(
        f"{part} came back as {lines:,} lines: those behind no longer stand beside their rows; {why}"
    )
