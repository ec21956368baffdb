"""A system that refuses to start threads, as at the limit on the processes of a container."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.responses import error_of, scores
from tests.support.server import running

BOOSTER = train(random_features(300, 3, seed=6))
# No thread can have a stack as large as the whole address space.
STACK_BYTES = 1 << 47


@contextmanager
def refused_threads() -> Iterator[None]:
    """Make threads impossible in the processes that are started meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))


@pytest.mark.parametrize("front_end", ["asgi", "flask"])
def test_refused_threads_are_503(models: Path, front_end: str) -> None:
    """Without threads, small requests succeed, others are a 503, and the worker lives on."""
    folder = save_artifact(BOOSTER, models / f"threads-{front_end}")
    with refused_threads(), running(folder, SERVE_FRONTEND=front_end) as server:
        for _ in range(2):
            small = server.post(b"1,2,3\n")
            large = server.post(b"1,2,3\n" * 300_000)
            ping = requests.get(f"{server.url}/ping", timeout=10)

            expected = predict_with_xgboost(BOOSTER, np.array([[1, 2, 3]]))
            np.testing.assert_array_equal(scores(small), expected)
            assert large.status_code == 503
            assert large.headers["Retry-After"] == "1"
            assert "thread" in error_of(large)
            assert ping.status_code == 200
    events = [event["event"] for event in server.events()]
    assert events.count("server started") == 1
    assert not [event for event in events if "exited" in event]
