"""Scenarios that a load of equal requests cannot show, such as /ping latency under saturation."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from bench import wrk
from bench.environments import Unavailable
from bench.models import BenchModel
from bench.process_tree import (
    cpu_seconds,
    peak_bytes,
    pss_bytes,
    reset_peaks,
    rss_bytes,
    wait_until_idle,
)
from bench.server_process import (
    RELATIVE_TOLERANCE,
    ServerProcess,
    WrongResponse,
    run_server,
    send_request,
)
from bench.servers.spec import CSV, ServerSpec

ROWS = 10_000
MILLION = 1_000_000
SATURATING_CONNECTIONS = 8
SATURATING_SECONDS = 4
PING_INTERVAL_SECONDS = 0.01
SINGLE_REQUESTS = 7
LARGE_BODY_BYTES = 100_000_000
REPETITIONS = 3
WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"

Numbers = dict[str, float]


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The numbers of one scenario; ``error`` says why there are none."""

    server: str
    name: str
    values: Mapping[str, float] = field(default_factory=dict)
    error: str = ""


def run_scenarios(
    spec: ServerSpec, models: Mapping[str, BenchModel], *, quick: bool
) -> list[ScenarioResult]:
    """Run all scenarios against one of this project's front ends, or only two if ``quick``."""

    def run(
        scenario: Callable[[ServerProcess], Numbers], model: str, **env: str
    ) -> Callable[[], Numbers]:
        return lambda: _run_with_server(scenario, spec, models[model], **env)

    scenarios = {
        "ping under saturation": run(ping_under_saturation, "b"),
        "one large request": run(single_large_requests, "b"),
    }
    if not quick:
        scenarios |= {
            "100 MB body": run(large_body, "a"),
            "growth": run(cost_per_row, "a", SAGEMAKER_MAX_PAYLOAD_IN_MB="0"),
            "model in memory": lambda: model_memory(spec, models["a"], models["c"]),
        }
    return [_run_scenario(spec, name, scenario) for name, scenario in scenarios.items()]


def ping_under_saturation(server: ServerProcess) -> Numbers:
    """Send GET /ping repeatedly while large requests keep every worker busy."""
    load = wrk.start(server.verify(ROWS, CSV), SATURATING_CONNECTIONS, SATURATING_SECONDS)
    with pinging(server) as ping_seconds:
        result = wrk.finish(load)
    return {
        "p99_ms": float(np.percentile(ping_seconds, 99)) * 1000,
        "max_ms": max(ping_seconds) * 1000,
        "pings": len(ping_seconds),
        "requests_per_second": result.requests / result.seconds,
    }


def single_large_requests(server: ServerProcess) -> Numbers:
    """Send large requests one at a time; wall time below CPU time means that both cores work."""
    server.verify(ROWS, CSV)
    wait_until_idle(server.pid)
    body = server.write_payload(ROWS, CSV).read_bytes()
    durations, cpu_start = [], cpu_seconds(server.pid)
    for _ in range(SINGLE_REQUESTS):
        start = time.perf_counter()
        server.post(body, CSV)
        durations.append(time.perf_counter() - start)
    cpu = cpu_seconds(server.pid) - cpu_start
    return {
        "wall_ms": median(durations) * 1000,
        "cpu_ms": cpu / SINGLE_REQUESTS * 1000,
        "busy_processors": cpu / sum(durations),
    }


def large_body(server: ServerProcess) -> Numbers:
    """Send a body of 100 MB; measure memory growth, and the slowest /ping meanwhile."""
    body, copies = _repeat_payload(server, LARGE_BODY_BYTES)
    wait_until_idle(server.pid)
    reset_peaks(server.pid)
    rss, start = rss_bytes(server.pid), time.perf_counter()
    with pinging(server) as ping_seconds:
        response = server.post(body, CSV)
    elapsed = time.perf_counter() - start
    peaks = peak_bytes(server.pid)
    growth = sum(max(peak - rss.get(pid, 0), 0) for pid, peak in peaks.items())
    _verify_copies(server, response, copies)
    return {
        "body_mb": len(body) / 1e6,
        "growth_mb": growth / 1e6,
        "growth_in_bodies": growth / len(body),
        "max_ping_ms": max(ping_seconds) * 1000,
        "wall_seconds": elapsed,
    }


def cost_per_row(server: ServerProcess) -> Numbers:
    """Compare the CPU time per row of a request with 1,000,000 rows with that of 10,000 rows."""
    body = server.write_payload(ROWS, CSV).read_bytes()
    copies = MILLION // ROWS
    _verify_copies(server, server.post(body * copies, CSV), copies)
    small = [_cpu_of_posts(server, body, copies) / MILLION for _ in range(REPETITIONS)]
    large = [_cpu_of_posts(server, body * copies, 1) / MILLION for _ in range(REPETITIONS)]
    small_us, large_us = median(small) * 1e6, median(large) * 1e6
    return {
        "cpu_us_per_row_of_10000": small_us,
        "cpu_us_per_row_of_1000000": large_us,
        "ratio": large_us / small_us,
    }


def model_memory(spec: ServerSpec, small: BenchModel, large: BenchModel) -> Numbers:
    """Compare the memory of an additional worker with a small and with a large model.

    The difference is zero if all workers share one copy of the model.
    """
    pss_mb = {}
    for model in (small, large):
        for workers in (1, 3):
            pss_mb[model.name, workers] = _pss_mb(spec, model, workers)
    worker_mb = {
        model.name: (pss_mb[model.name, 3] - pss_mb[model.name, 1]) / 2 for model in (small, large)
    }
    return {
        "worker_mb": worker_mb[small.name],
        "worker_mb_due_to_model": worker_mb[large.name] - worker_mb[small.name],
        "model_mb": pss_mb[large.name, 1] - pss_mb[small.name, 1],
    }


@contextmanager
def pinging(server: ServerProcess) -> Iterator[list[float]]:
    """Send GET /ping on new connections until the block ends; yield the list of durations in s."""
    durations: list[float] = []
    stop = threading.Event()

    def ping() -> None:
        while not stop.wait(PING_INTERVAL_SECONDS):
            start = time.perf_counter()
            send_request(server.port, "/ping", b"", CSV, method="GET")
            durations.append(time.perf_counter() - start)

    thread = threading.Thread(target=ping)
    thread.start()
    try:
        yield durations
    finally:
        stop.set()
        thread.join()
        if not durations:
            raise WrongResponse("no /ping got a response")


def _run_scenario(spec: ServerSpec, name: str, scenario: Callable[[], Numbers]) -> ScenarioResult:
    try:
        return ScenarioResult(spec.name, name, scenario())
    except (OSError, WrongResponse, Unavailable) as error:
        return ScenarioResult(spec.name, name, error=str(error))


def _run_with_server(
    scenario: Callable[[ServerProcess], Numbers], spec: ServerSpec, model: BenchModel, **env: str
) -> Numbers:
    with run_server(spec, model, **env) as server:
        return scenario(server)


def _pss_mb(spec: ServerSpec, model: BenchModel, workers: int) -> float:
    with run_server(spec, model, **{WORKERS: str(workers)}) as server:
        server.verify(1, CSV)
        return pss_bytes(server.pid) / 1e6


def _repeat_payload(server: ServerProcess, max_bytes: int) -> tuple[bytes, int]:
    body = server.write_payload(ROWS, CSV).read_bytes()
    copies = max_bytes // len(body)
    return body * copies, copies


def _verify_copies(server: ServerProcess, response: bytes, copies: int) -> None:
    """Verify the response to a payload that was repeated; raises WrongResponse."""
    expected = np.tile(server.model.expected, copies)
    predicted = np.array(response.split(), dtype=np.float64)
    if not np.allclose(predicted, expected, rtol=RELATIVE_TOLERANCE, atol=0):
        raise WrongResponse(f"{len(expected)} rows: predictions differ from XGBoost's")


def _cpu_of_posts(server: ServerProcess, body: bytes, count: int) -> float:
    start = cpu_seconds(server.pid)
    for _ in range(count):
        server.post(body, CSV)
    return cpu_seconds(server.pid) - start
