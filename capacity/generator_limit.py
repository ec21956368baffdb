"""The load generator's own limit: the highest rate at which it meets the objective by itself."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from capacity.load import LoadRequest, run_step
from capacity.objective import Objective
from capacity.search import bisect_rate, raise_until_failure
from container.local_server import ROOT

START_RPS, MAX_RPS = 25.0, 200_000.0
GROWTH, PRECISION = 4.0, 2.0
STEP_SECONDS = 0.2
ATTEMPTS = 2  # a single hiccup of this machine must not fail a rate
MIN_THROUGHPUT_RATIO = 0.9  # of the offered rate


def measure_generator_limit(
    request: LoadRequest, response_bytes: int, objective: Objective
) -> float:
    """Return the highest rate at which the generator meets the objective against a null server.

    The null server runs in another process and responds immediately. Payloads and responses have
    the sizes of the real ones. Returns 0.0 if not even the first rate passes.
    """
    with _null_server(response_bytes) as url:
        null_request = replace(request, url=url)

        def passes(rps: float) -> bool:
            return any(_meets(objective, null_request, rps) for _ in range(ATTEMPTS))

        passing, failing = raise_until_failure(passes, START_RPS, GROWTH, MAX_RPS)
        return bisect_rate(passes, passing, failing, PRECISION)


def _meets(objective: Objective, request: LoadRequest, rps: float) -> bool:
    step = asyncio.run(run_step(request, rps, STEP_SECONDS))
    keeps_up = step.throughput_rps >= MIN_THROUGHPUT_RATIO * rps
    return keeps_up and objective.find_violation(step) is None


@contextmanager
def _null_server(response_bytes: int) -> Iterator[str]:
    """Start a null server, which exits when its stdin closes and so never outlives this process."""
    server = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "capacity.null_server", str(response_bytes)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for this process only
    )
    with server:
        assert server.stdin  # noqa: S101 - both are pipes
        assert server.stdout  # noqa: S101
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()
