"""Shows the progress of a job: a bar on a terminal, otherwise a line every few seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from local_test.batch.input_file import InputFile
from local_test.batch.job import Progress

LINE_INTERVAL_SECONDS = 5.0


@contextmanager
def show_progress(input_file: InputFile) -> Iterator[Callable[[Progress], None]]:
    """Yield the function to call after each mini-batch."""
    if sys.stderr.isatty():
        with _show_bar(input_file) as update:
            yield update
        return
    last_line_at = time.monotonic()

    def print_line(progress: Progress) -> None:
        nonlocal last_line_at
        if time.monotonic() - last_line_at >= LINE_INTERVAL_SECONDS:
            last_line_at = time.monotonic()
            share = input_file.position() / input_file.size_bytes
            click.echo(f"{progress.row_count:,} rows, {share:.0%}", err=True)

    yield print_line


@contextmanager
def _show_bar(input_file: InputFile) -> Iterator[Callable[[Progress], None]]:
    with click.progressbar(
        length=input_file.size_bytes, file=sys.stderr, item_show_func=lambda rows: rows
    ) as bar:

        def update(progress: Progress) -> None:
            bar.update(input_file.position() - bar.pos, f"{progress.row_count:,} rows")

        yield update
