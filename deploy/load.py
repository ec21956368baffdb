"""Load at a constant rate: each request leaves at its own time, whether or not earlier replies are there.

Latency counts from the time that was meant, so that no wait is left out (coordinated omission).
"""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

REPLY_SECONDS = 10.0
MOST_WAITING = 2_000


@dataclass(frozen=True, slots=True)
class Step:
    """What one rate gave; ``own_cpu`` is the load generator's share of one processor."""

    wanted_rps: float
    rps: float
    p50_ms: float
    p99_ms: float
    mean_ms: float
    error_share: float
    late_p99_ms: float
    own_cpu: float


class Caller:
    """Connections that stay open, and the outcomes of what was sent over them."""

    def __init__(self, url: str, payload: bytes, media_type: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        head = [
            "POST /invocations HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Content-Type: {media_type}",
            f"Content-Length: {len(payload)}",
        ]
        self.request = "\r\n".join([*head, "", ""]).encode() + payload
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.latencies: list[float] = []
        self.late: list[float] = []
        self.errors = 0

    async def call(self, due: float) -> None:
        """Send one request and note its outcome."""
        self.late.append(time.perf_counter() - due)
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                stream = self.idle.pop() if self.idle else await asyncio.open_connection(self.host, self.port)
                try:
                    good = await self._exchange(*stream)
                except BaseException:
                    stream[1].close()
                    raise
            self.idle.append(stream)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            good = False
        self.errors += not good
        self.latencies.append(time.perf_counter() - due)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(self.request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        return head.startswith((b"http/1.1 200", b"http/1.0 200"))


async def step(url: str, payload: bytes, media_type: str, rps: float, seconds: float) -> Step:
    """Send at a rate for so many seconds, and wait for the replies."""
    caller = Caller(url, payload, media_type)
    tasks: set[asyncio.Task[None]] = set()
    start, cpu = time.perf_counter() + 0.05, time.process_time()
    for number in range(max(1, int(rps * seconds))):
        due = start + number / rps
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        elif number % 50 == 0:
            await asyncio.sleep(0)
        if len(tasks) >= MOST_WAITING:
            caller.errors += 1
            caller.latencies.append(REPLY_SECONDS)
            continue
        task = asyncio.create_task(caller.call(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    took = time.perf_counter() - start
    for _, writer in caller.idle:
        writer.close()
    latencies, late = sorted(caller.latencies), sorted(caller.late)
    own_cpu = (time.process_time() - cpu) / took
    good = len(latencies) - caller.errors
    return Step(
        rps, good / took, _ms(latencies, 0.5), _ms(latencies, 0.99), 1000 * sum(latencies) / len(latencies),
        caller.errors / len(latencies), _ms(late, 0.99), own_cpu,
    )  # fmt: skip


def _ms(ordered: list[float], share: float) -> float:
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]
