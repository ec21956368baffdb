"""One measurement: a server under one workload, with responses verified before and after."""

import time
from dataclasses import dataclass

from bench import wrk
from bench.plan import Workload
from bench.process_tree import cpu_seconds, wait_until_idle
from bench.server_process import ServerProcess, WrongResponse

WARM_UP_SECONDS = 1
WARM_UP_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Measurement:
    """The numbers of one server, workload and round; ``invalid`` says why they do not count."""

    server: str
    workload: Workload
    round: int
    requests_per_second: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    cpu_ms: float = 0.0
    busy_processors: float = 0.0
    errors: int = 0
    wrk_cpu_ms: float = 0.0
    invalid: str = ""


def warm_up(server: ServerProcess, media_type: str) -> None:
    """Send enough requests that every worker of a server has handled some."""
    request = server.verify(1, media_type)
    wrk.finish(wrk.start(request, WARM_UP_CONNECTIONS, WARM_UP_SECONDS))
    wait_until_idle(server.pid)


def measure(server: ServerProcess, workload: Workload, round_: int, seconds: int) -> Measurement:
    """Measure a server under a workload."""
    try:
        request = server.verify(workload.rows, workload.media_type)
        cpu_start, start = cpu_seconds(server.pid), time.perf_counter()
        load = wrk.finish(wrk.start(request, workload.connections, seconds))
        cpu, elapsed = cpu_seconds(server.pid) - cpu_start, time.perf_counter() - start
        wait_until_idle(server.pid)
        server.verify(workload.rows, workload.media_type)
    except (OSError, WrongResponse) as error:
        return Measurement(server.spec.name, workload, round_, invalid=str(error))
    requests = max(load.requests, 1)
    return Measurement(
        server=server.spec.name,
        workload=workload,
        round=round_,
        requests_per_second=load.requests / load.seconds,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        cpu_ms=cpu / requests * 1000,
        busy_processors=cpu / elapsed,
        errors=load.socket_errors + load.wrong_responses,
        wrk_cpu_ms=load.wrk_cpu_seconds / requests * 1000,
        invalid="" if load.requests else "no response in time",
    )
