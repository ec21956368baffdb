"""How far a job is: a bar on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from local_test.batch.job import Count
from local_test.batch.source import Source

LINE_EACH_SECONDS = 5.0


@contextmanager
def shown(source: Source) -> Iterator[Callable[[Count], None]]:
    """Give what is to be called after each slice."""
    if sys.stderr.isatty():
        with click.progressbar(
            length=source.size, file=sys.stderr, item_show_func=lambda rows: rows
        ) as bar:
            yield lambda count: bar.update(source.position() - bar.pos, f"{count.rows:,} rows")
        return
    said = time.monotonic()

    def line(count: Count) -> None:
        nonlocal said
        if time.monotonic() - said >= LINE_EACH_SECONDS:
            said = time.monotonic()
            click.echo(f"{count.rows:,} rows, {source.position() / source.size:.0%}", err=True)

    yield line
