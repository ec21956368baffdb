"""Runs a job: sends mini-batches concurrently, writes responses in order (contract 5.6, 5.9)."""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

from local_test.batch.container_client import BatchResponse, ContainerClient
from local_test.batch.errors import JobFailed
from local_test.batch.join import Assembler
from local_test.batch.mini_batch import MiniBatch
from serve.media.types import CSV, JSON_LINES, parse_content_type
from serve.text import counted

# Mini-batches in memory per concurrent request: those in flight, and those whose response waits
# for an earlier one.
MINI_BATCHES_PER_REQUEST = 2
# Media types whose responses have one line per record.
LINE_MEDIA_TYPES = (CSV, JSON_LINES)


@dataclass(slots=True)
class Progress:
    """The number of mini-batches, rows and bytes of rows written so far."""

    mini_batch_count: int = 0
    row_count: int = 0
    row_bytes: int = 0


def run_job(
    mini_batches: Iterator[MiniBatch],
    client: ContainerClient,
    output: IO[bytes],
    assemble: Assembler,
    on_progress: Callable[[Progress], None],
) -> Progress:
    """Send the mini-batches, and write the output for each response in order.

    Args:
        mini_batches: the payloads to send.
        client: sends them; its ``max_concurrency`` is the number of concurrent requests.
        output: receives the output.
        assemble: returns the output for a mini-batch and its response.
        on_progress: called after each response is written.

    Raises:
        JobFailed: the container rejected a mini-batch, failed after all retries, or sent a response
            that does not have one line per row.
    """
    progress = Progress()
    pool = ThreadPoolExecutor(client.max_concurrency)
    try:
        for mini_batch, response in _send_in_order(mini_batches, client, pool):
            media_type = response.media_type or client.accept or client.content_type
            _check_line_count(mini_batch, response.body, media_type)
            output.write(assemble(mini_batch, response))
            progress.mini_batch_count = mini_batch.number
            progress.row_count = mini_batch.last_row
            progress.row_bytes += mini_batch.row_bytes
            on_progress(progress)
    finally:
        client.stopped.set()
        pool.shutdown(cancel_futures=True)
    return progress


def _send_in_order(
    mini_batches: Iterator[MiniBatch], client: ContainerClient, pool: ThreadPoolExecutor
) -> Iterator[tuple[MiniBatch, BatchResponse]]:
    """Yield each mini-batch with its response, in order, while later ones are in flight."""
    max_pending = client.max_concurrency * MINI_BATCHES_PER_REQUEST
    pending: deque[tuple[MiniBatch, Future[BatchResponse]]] = deque()
    while True:
        for mini_batch in itertools.islice(mini_batches, max_pending - len(pending)):
            pending.append((mini_batch, pool.submit(client.invoke, mini_batch)))
        if not pending:
            return
        mini_batch, future = pending.popleft()
        yield mini_batch, future.result()


def _check_line_count(mini_batch: MiniBatch, response: bytes, media_type: str) -> None:
    """Raise JobFailed if the response does not have one line per row.

    The predictions of this and of all later mini-batches would be beside other rows.
    """
    if parse_content_type(media_type).name not in LINE_MEDIA_TYPES:
        return
    line_count = response.count(b"\n") + (bool(response) and not response.endswith(b"\n"))
    if line_count == mini_batch.row_count:
        return
    reason = "it may contain a line break in quotes, a header or a comment: remove these"
    if line_count < mini_batch.row_count and mini_batch.ends_with_blank_line():
        reason = "blank lines at the end of a payload are not records: remove them"
    expected = counted(mini_batch.row_count, "line")
    raise JobFailed(
        f"{mini_batch}: expected {expected} in the response, got {line_count:,}; {reason}"
    )
