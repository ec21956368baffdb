"""Open-loop load: requests at a constant rate, whether or not earlier responses have arrived.

Latency counts from each request's scheduled time, which avoids coordinated omission.
"""

import asyncio
import math
import resource
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from capacity.load_client import LoadClient

MAX_IN_FLIGHT = 2_000
MAX_IN_FLIGHT_BYTES = 256 << 20  # each request in flight may copy its payload into a write buffer
SPARE_FILES = 100  # open files for everything except connections
YIELD_EVERY = 50  # requests; when sending is late, give the event loop a turn to read responses


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """The request that a load test sends again and again."""

    url: str
    payload: bytes
    media_type: str

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; raises ValueError for a URL that is not http://HOST:PORT."""
        parts = urlsplit(self.url)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"expected http://HOST:PORT, got {self.url}")
        return parts.hostname, parts.port or 80

    def encode(self) -> bytes:
        """Return the HTTP request as it is sent."""
        head = [
            "POST /invocations HTTP/1.1",
            f"Host: {urlsplit(self.url).netloc}",
            f"Content-Type: {self.media_type}",
            f"Content-Length: {len(self.payload)}",
        ]
        return "\r\n".join([*head, "", ""]).encode() + self.payload

    def max_in_flight(self) -> int:
        """Return how many requests may be in flight, given the limits on open files and memory."""
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        by_memory = MAX_IN_FLIGHT_BYTES // max(1, len(self.payload))
        limits = [MAX_IN_FLIGHT, by_memory]
        if open_files != resource.RLIM_INFINITY:
            limits.append(open_files - SPARE_FILES)
        return max(1, min(limits))


@dataclass(frozen=True, slots=True)
class StepResult:
    """The measurements of one load step at a constant offered rate.

    Attributes:
        offered_rps: requests per second that the generator was asked to send.
        throughput_rps: responses with status 200 per second.
        latency_growth_ms: median latency of the last third of the step minus that of the first.
        error_rate: fraction of requests without a 200 response.
        failures: number of failed requests by cause.
        stopped_at_in_flight: requests in flight when the step was stopped early, else None.
        send_delay_p99_ms: 99th percentile of the delay between a request's scheduled and actual
            send time.
        generator_cpu: CPU seconds that the generator used per second.
    """

    offered_rps: float
    throughput_rps: float
    p50_ms: float
    p99_ms: float
    mean_ms: float
    latency_growth_ms: float
    error_rate: float
    failures: dict[str, int]
    stopped_at_in_flight: int | None
    send_delay_p99_ms: float
    generator_cpu: float


async def run_step(request: LoadRequest, rps: float, seconds: float) -> StepResult:
    """Send requests at a constant rate, and wait for all responses.

    The step ends early when too many requests are in flight.
    """
    client = LoadClient(request.address, request.encode())
    max_in_flight, stopped_at = request.max_in_flight(), None
    tasks: set[asyncio.Task[None]] = set()
    start, cpu_start = time.perf_counter(), time.process_time()
    for index in range(max(1, round(rps * seconds))):
        scheduled = start + index / rps
        if (delay := scheduled - time.perf_counter()) > 0:
            await asyncio.sleep(delay)
        elif index % YIELD_EVERY == 0:
            await asyncio.sleep(0)
        if len(tasks) >= max_in_flight:
            stopped_at = max_in_flight
            break
        task = asyncio.create_task(client.send(scheduled))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    elapsed = time.perf_counter() - start
    generator_cpu = (time.process_time() - cpu_start) / elapsed
    client.close()
    # The last request counts for a whole interval, so throughput never exceeds the offered rate.
    duration = max(elapsed, len(client.send_delays) / rps)
    return _summarize(client, rps, duration, stopped_at, generator_cpu)


def _summarize(
    client: LoadClient, rps: float, seconds: float, stopped_at: int | None, generator_cpu: float
) -> StepResult:
    by_schedule = [latency for _, latency in sorted(client.latencies)]
    latencies, failed = sorted(by_schedule), client.failures.total()
    third = math.ceil(len(by_schedule) / 3)
    first_third, last_third = sorted(by_schedule[:third]), sorted(by_schedule[-third:])
    return StepResult(
        offered_rps=rps,
        throughput_rps=(len(latencies) - failed) / seconds,
        p50_ms=_percentile_ms(latencies, 0.5),
        p99_ms=_percentile_ms(latencies, 0.99),
        mean_ms=1000 * sum(latencies) / len(latencies),
        latency_growth_ms=_percentile_ms(last_third, 0.5) - _percentile_ms(first_third, 0.5),
        error_rate=failed / len(latencies),
        failures=dict(client.failures),
        stopped_at_in_flight=stopped_at,
        send_delay_p99_ms=_percentile_ms(sorted(client.send_delays), 0.99),
        generator_cpu=generator_cpu,
    )


def _percentile_ms(ordered: list[float], quantile: float) -> float:
    return 1000 * ordered[math.ceil(len(ordered) * quantile) - 1]
