"""Replacement of workers that crash or hang, while the others keep serving."""

import os
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.boosters import predict_with_xgboost, random_features, save_artifact, train
from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import scores
from tests.support.server import Server, running

# Much longer than the timeout of one second, also if the machine becomes faster meanwhile.
PREDICTION_SECONDS = 4


def wait_for_workers(server: Server, count: int) -> list[int]:
    """Wait until a server has this many workers; return their process ids."""
    assert server.process
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        workers = [int(pid) for pid in children.read_text().split()]
        if len(workers) == count:
            return workers
        time.sleep(0.05)
    raise AssertionError(f"expected {count} workers, got {workers}")


def test_crashed_worker_is_replaced() -> None:
    """2.6: after a worker is killed, another replaces it, and later requests succeed."""
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="2") as server:
        before = wait_for_workers(server, 2)
        os.kill(before[0], signal.SIGKILL)
        time.sleep(0.1)
        for _ in range(20):
            np.testing.assert_array_equal(scores(server.post(CSV)), expected())
        deadline = time.monotonic() + 20
        while before[0] in wait_for_workers(server, 2) and time.monotonic() < deadline:
            time.sleep(0.05)
        after = wait_for_workers(server, 2)

    assert before[0] not in after
    assert before[1] in after


@pytest.mark.parametrize("front_end", ["asgi", "flask"])
def test_server_survives_while_no_worker_can_be_started(front_end: str) -> None:
    """2.6: if the system refuses to start a worker, the others keep serving until it can.

    The limit is that of open files, because root has no limit of processes.
    """
    with running(ARTIFACT, SERVE_FRONTEND=front_end, SAGEMAKER_MODEL_SERVER_WORKERS="2") as server:
        before = wait_for_workers(server, 2)
        assert server.process
        soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (4, hard))
        os.kill(before[0], signal.SIGKILL)
        time.sleep(2.5)
        during = wait_for_workers(server, 1)
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        after = wait_for_workers(server, 2)

    refusals = [event for event in server.events() if event["event"] == "cannot start a worker"]
    assert during == before[1:]
    assert before[1] in after
    assert [event["reason"] for event in refusals] == ["Too many open files"]


@pytest.mark.parametrize("front_end", ["asgi", "flask"])
def test_unresponsive_worker_is_replaced(front_end: str) -> None:
    """8.4: a worker that hangs for SAGEMAKER_MODEL_SERVER_TIMEOUT seconds is replaced."""
    with running(ARTIFACT, SERVE_FRONTEND=front_end, SAGEMAKER_MODEL_SERVER_TIMEOUT="2") as server:
        unresponsive = wait_for_workers(server, 1)[0]
        os.kill(unresponsive, signal.SIGSTOP)
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())

        assert unresponsive not in wait_for_workers(server, 1)


def test_a_paused_server_keeps_its_workers() -> None:
    """2.6: a pause of the whole container, longer than the timeout, makes no worker stuck."""
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_TIMEOUT="2") as server:
        assert server.process
        time.sleep(3)  # the server has run for longer than the timeout
        workers = wait_for_workers(server, 1)
        for pid in (server.process.pid, *workers):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(6)
        for pid in (server.process.pid, *workers):
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.2)
        np.testing.assert_array_equal(scores(server.post(CSV)), expected())

        assert wait_for_workers(server, 1) == workers


@pytest.mark.parametrize("front_end", ["asgi", "flask"])
def test_prediction_may_exceed_the_timeout(front_end: str, tmp_path: Path) -> None:
    """5.12 and 8.4: a prediction that takes longer than the timeout is not interrupted."""
    booster = train(random_features(2000, 8), rounds=100, max_depth=10)
    distinct = random_features(1000, 8)
    rows = "".join(",".join(map(repr, row)) + "\n" for row in distinct.tolist())
    with running(
        save_artifact(booster, tmp_path),
        SERVE_FRONTEND=front_end,
        SAGEMAKER_MODEL_SERVER_TIMEOUT="1",
    ) as server:
        # A payload that takes a few seconds, however fast the machine is.
        _, trial_seconds = post_timed(server, rows * 10)
        count = min(600, 10 + int(10 * PREDICTION_SECONDS / trial_seconds))
        response, seconds = post_timed(server, rows * count)

    expected_scores = np.tile(predict_with_xgboost(booster, distinct), count)
    np.testing.assert_array_equal(scores(response), expected_scores)
    assert seconds > 2, "the prediction did not exceed the timeout"


def post_timed(server: Server, body: str) -> tuple[requests.Response, float]:
    """Return the response to a payload, and how long it took."""
    started = time.monotonic()
    response = server.post(body)
    return response, time.monotonic() - started
