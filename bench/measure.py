"""One measurement: a cell under load, with its answers verified before and after."""

import time
from dataclasses import dataclass

from bench import wrk
from bench.grid import Cell
from bench.processes import cpu_seconds, settle
from bench.running import Running, WrongAnswer

WARM_UP_SECONDS = 1
WARM_UP_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one server did in one cell of one round; ``fault`` says why its numbers do not count."""

    server: str
    cell: Cell
    round: int
    requests_a_second: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    cpu_ms: float = 0.0
    busy_processors: float = 0.0
    errors: int = 0
    wrk_cpu_ms: float = 0.0
    fault: str = ""


def warm_up(server: Running, media_type: str) -> None:
    """Let every worker of a server answer some requests."""
    wrk.finish(wrk.start(server.verified(1, media_type), WARM_UP_CONNECTIONS, WARM_UP_SECONDS))
    settle(server.pid)


def measure(server: Running, cell: Cell, round_: int, seconds: int) -> Measurement:
    """Return what a server does under the load of a cell."""
    try:
        request = server.verified(cell.rows, cell.media_type)
        before, began = cpu_seconds(server.pid), time.perf_counter()
        load = wrk.finish(wrk.start(request, cell.connections, seconds))
        used, wall = cpu_seconds(server.pid) - before, time.perf_counter() - began
        settle(server.pid)
        server.verified(cell.rows, cell.media_type)
    except (OSError, WrongAnswer) as error:
        return Measurement(server.peer.name, cell, round_, fault=str(error))
    requests = max(load.requests, 1)
    return Measurement(
        server=server.peer.name,
        cell=cell,
        round=round_,
        requests_a_second=load.requests / load.seconds,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        cpu_ms=used / requests * 1000,
        busy_processors=used / wall,
        errors=load.socket_errors + load.wrong_replies,
        wrk_cpu_ms=load.wrk_cpu_seconds / requests * 1000,
        fault="" if load.requests else "not one reply in time",
    )
