"""The load generator's ceiling: the rate that it bears by itself, against a server that answers at once."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from capacity.load import Invocation, step
from capacity.objective import Objective
from capacity.search import between, climb
from container.local_server import ROOT

FIRST_RPS, MOST_RPS = 25.0, 200_000.0
GROWTH, PRECISION = 4.0, 2.0
SECONDS = 0.2
TRIES = (
    2  # a rate breaks only when it breaks twice, so that one hiccup of this machine does not count
)
KEPT_UP = 0.9  # of what was asked


def ceiling_rps(invocation: Invocation, reply_bytes: int, objective: Objective) -> float:
    """Return the highest rate tried that holds the objective against a server in another process that answers at once.

    Its payloads and replies have the sizes of the real ones. 0.0 if not even the first rate holds.
    """
    with _instant_server(reply_bytes) as url:
        instant = replace(invocation, url=url)

        def holds(rps: float) -> bool:
            tries = (asyncio.run(step(instant, rps, SECONDS)) for _ in range(TRIES))
            return any(
                one.rps >= KEPT_UP * rps and objective.broken_by(one) is None for one in tries
            )

        return between(holds, *climb(holds, FIRST_RPS, GROWTH, MOST_RPS), PRECISION)


@contextmanager
def _instant_server(reply_bytes: int) -> Iterator[str]:
    command = [sys.executable, "-m", "capacity.null_server", str(reply_bytes)]
    # It ends with its standard input, so that it never outlives this process; Ctrl-C is for this one alone.
    server = subprocess.Popen(  # noqa: S603 - our own program
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with server:
        assert server.stdin  # noqa: S101 - both are pipes
        assert server.stdout  # noqa: S101
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()
