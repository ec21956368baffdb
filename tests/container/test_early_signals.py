"""Signals that reach a worker just after its fork."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.diamonds import ARTIFACT
from tests.support.server import Server, free_port, start, stop, wait_until_ready


@pytest.mark.parametrize("front_end", ["asgi", "flask"])
def test_sigterm_just_after_fork_stops_the_worker(front_end: str) -> None:
    """1.3: a SIGTERM within a worker's first milliseconds stops it; gunicorn itself ignores it."""
    port = free_port()
    process = start(ARTIFACT, port, SERVE_FRONTEND=front_end, SAGEMAKER_MODEL_SERVER_WORKERS="1")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 30
    while not (forked := children.read_text().split()) and time.monotonic() < deadline:
        pass
    os.kill(int(forked[0]), signal.SIGTERM)
    wait_until_ready(Server(f"http://127.0.0.1:{port}", process))
    # The worker may be the one that answered the ping, so its replacement may come later.
    while time.monotonic() < deadline:
        workers = children.read_text().split()
        if workers and forked[0] not in workers:
            break
        time.sleep(0.05)
    stop(process)

    assert forked[0] not in workers
    assert len(workers) == 1
    assert process.returncode == 0
