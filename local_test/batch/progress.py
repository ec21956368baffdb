"""Shows the progress of a job: one line, rewritten on a terminal, else every few seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local_test.batch.input_file import InputFile
from local_test.batch.job import Progress
from serve.text import counted

LINE_INTERVAL_SECONDS = 5.0
TERMINAL_INTERVAL_SECONDS = 0.1
BAR_WIDTH = 24
ERASE_LINE = "\r\x1b[K"
SECONDS_PER_MINUTE = 60


@contextmanager
def show_progress(input_file: InputFile) -> Iterator[Callable[[Progress], None]]:
    """Yield the function to call after each mini-batch."""
    is_terminal = sys.stderr.isatty()
    start = last_shown = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal last_shown
        now = time.monotonic()
        if now - last_shown < (TERMINAL_INTERVAL_SECONDS if is_terminal else LINE_INTERVAL_SECONDS):
            return
        last_shown = now
        share = input_file.share_of(progress.row_bytes)
        line = describe_progress(progress.row_count, share, now - start)
        if is_terminal:
            sys.stderr.write(f"{ERASE_LINE}{_draw_bar(share)} {line}")
        else:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if is_terminal:
            sys.stderr.write(ERASE_LINE)
            sys.stderr.flush()


def describe_progress(row_count: int, share: float, seconds: float) -> str:
    """Return the rows so far, of how many, the rate, and the time left."""
    rate = f"{row_count / seconds:,.0f} rows/s"
    if not share:
        return f"{counted(row_count, 'row')}, {rate}"
    total = round(row_count / share)
    left = _format_duration(seconds / share - seconds)
    return f"{row_count:,} of about {counted(total, 'row')}, {share:.0%}, {rate}, {left} left"


def _draw_bar(share: float) -> str:
    filled = round(BAR_WIDTH * share)
    return f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}]"


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, SECONDS_PER_MINUTE)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
