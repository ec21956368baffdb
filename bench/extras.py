"""What no load of equal requests shows: /ping under saturation, one large request, a body at the limit, growth, memory."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from bench import wrk
from bench.environments import Unavailable
from bench.models import Served
from bench.peers.peer import CSV, Peer
from bench.processes import cpu_seconds, forget_peaks, peak_bytes, pss_bytes, rss_bytes, settle
from bench.running import RELATIVE_TOLERANCE, Running, WrongAnswer, post, running

ROWS = 10_000
MILLION = 1_000_000
SATURATING_CONNECTIONS = 8
SATURATING_SECONDS = 4
PING_PAUSE_SECONDS = 0.01
LONE_REQUESTS = 7
LARGE_BODY_BYTES = 100_000_000
REPEATS = 3
WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"


@dataclass(frozen=True, slots=True)
class Extra:
    """What one of these measurements found; ``fault`` says why it found nothing."""

    server: str
    name: str
    values: Mapping[str, float] = field(default_factory=dict)
    fault: str = ""


def extras(peer: Peer, models: Mapping[str, Served], *, quick: bool) -> list[Extra]:
    """Return all of these measurements of one of this project's doors."""
    found = [
        _extra(
            peer, "ping under saturation", lambda: _with(peer, models["b"], ping_under_saturation)
        ),
        _extra(peer, "one large request", lambda: _with(peer, models["b"], one_large_request)),
    ]
    if not quick:
        found += [
            _extra(peer, "100 MB body", lambda: _with(peer, models["a"], large_body)),
            _extra(
                peer,
                "growth",
                lambda: _with(peer, models["a"], growth, SAGEMAKER_MAX_PAYLOAD_IN_MB="0"),
            ),
            _extra(
                peer, "model in memory", lambda: model_in_memory(peer, models["a"], models["c"])
            ),
        ]
    return found


def ping_under_saturation(server: Running) -> dict[str, float]:
    """Ask for /ping again and again while large requests keep every worker busy."""
    load = wrk.start(server.verified(ROWS, CSV), SATURATING_CONNECTIONS, SATURATING_SECONDS)
    with pinging(server) as pings:
        seen = wrk.finish(load)
    return {
        "p99_ms": float(np.percentile(pings, 99)) * 1000,
        "slowest_ms": max(pings) * 1000,
        "pings": len(pings),
        "requests_a_second": seen.requests / seen.seconds,
    }


def one_large_request(server: Running) -> dict[str, float]:
    """Send large requests one by one: wall time below the processors' time means that both work."""
    server.verified(ROWS, CSV)
    settle(server.pid)
    body = server.payload(ROWS, CSV).read_bytes()
    walls, before = [], cpu_seconds(server.pid)
    for _ in range(LONE_REQUESTS):
        began = time.perf_counter()
        server.post(body, CSV)
        walls.append(time.perf_counter() - began)
    used = cpu_seconds(server.pid) - before
    return {
        "wall_ms": median(walls) * 1000,
        "cpu_ms": used / LONE_REQUESTS * 1000,
        "busy_processors": used / sum(walls),
    }


def large_body(server: Running) -> dict[str, float]:
    """Send a body of 100 MB, and see how far the memory grows and how long the slowest /ping takes meanwhile."""
    body, copies = _copies(server, LARGE_BODY_BYTES)
    settle(server.pid)
    forget_peaks(server.pid)
    before, began = rss_bytes(server.pid), time.perf_counter()
    with pinging(server) as pings:
        reply = server.post(body, CSV)
    wall = time.perf_counter() - began
    grown = sum(max(peak - before.get(pid, 0), 0) for pid, peak in peak_bytes(server.pid).items())
    _check_copies(server, reply, copies)
    return {
        "body_mb": len(body) / 1e6,
        "grown_mb": grown / 1e6,
        "grown_bodies": grown / len(body),
        "slowest_ping_ms": max(pings) * 1000,
        "wall_seconds": wall,
    }


def growth(server: Running) -> dict[str, float]:
    """Compare the time of the processors for a row of 1,000,000 with that for a row of 10,000."""
    body = server.payload(ROWS, CSV).read_bytes()
    copies = MILLION // ROWS
    _check_copies(server, server.post(body * copies, CSV), copies)
    small = [_cpu(server, body, copies) / MILLION for _ in range(REPEATS)]
    large = [_cpu(server, body * copies, 1) / MILLION for _ in range(REPEATS)]
    few, many = median(small) * 1e6, median(large) * 1e6
    return {"cpu_us_a_row_of_10000": few, "cpu_us_a_row_of_1000000": many, "ratio": many / few}


def model_in_memory(peer: Peer, small: Served, large: Served) -> dict[str, float]:
    """Compare what a worker more costs with a large model and with a small one: nothing more, if the model is there once."""
    pss = {}
    for served in (small, large):
        for workers in ("1", "3"):
            with running(peer, served, **{WORKERS: workers}) as server:
                for _ in range(30):
                    server.verified(1, CSV)
                pss[served.name, workers] = pss_bytes(server.pid) / 1e6
    a_worker = {
        served.name: (pss[served.name, "3"] - pss[served.name, "1"]) / 2
        for served in (small, large)
    }
    return {
        "mb_a_worker": a_worker[small.name],
        "mb_more_a_worker": a_worker[large.name] - a_worker[small.name],
        "mb_of_the_model": pss[large.name, "1"] - pss[small.name, "1"],
    }


@contextmanager
def pinging(server: Running) -> Iterator[list[float]]:
    """Ask for /ping, each time on a new connection, until the end of the block; the seconds of each are the block's list."""
    took: list[float] = []
    over = threading.Event()

    def ping() -> None:
        while not over.wait(PING_PAUSE_SECONDS):
            began = time.perf_counter()
            post(server.port, "/ping", b"", CSV, method="GET")
            took.append(time.perf_counter() - began)

    thread = threading.Thread(target=ping)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()
        if not took:
            raise WrongAnswer("not one /ping was answered")


def _extra(peer: Peer, name: str, found: Callable[[], Mapping[str, float]]) -> Extra:
    try:
        return Extra(peer.name, name, found())
    except (OSError, WrongAnswer, Unavailable) as error:
        return Extra(peer.name, name, fault=str(error))


def _with(
    peer: Peer, served: Served, found: Callable[[Running], dict[str, float]], **env: str
) -> dict[str, float]:
    with running(peer, served, **env) as server:
        return found(server)


def _copies(server: Running, most_bytes: int) -> tuple[bytes, int]:
    body = server.payload(ROWS, CSV).read_bytes()
    copies = most_bytes // len(body)
    return body * copies, copies


def _check_copies(server: Running, reply: bytes, copies: int) -> None:
    """Check the reply to rows that were sent several times over; raises WrongAnswer."""
    expected = np.tile(server.served.expected, copies)
    if not np.allclose(
        np.array(reply.split(), dtype=np.float64), expected, rtol=RELATIVE_TOLERANCE, atol=0
    ):
        raise WrongAnswer(f"{len(expected)} rows: predictions differ from XGBoost's")


def _cpu(server: Running, body: bytes, times: int) -> float:
    before = cpu_seconds(server.pid)
    for _ in range(times):
        server.post(body, CSV)
    return cpu_seconds(server.pid) - before
