"""Load at a constant rate: each invocation leaves at its own time, whether or not earlier replies are there.

Latency counts from the time that was meant, so that no wait is left out (coordinated omission).
"""

import asyncio
import math
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

REPLY_SECONDS = 10.0
MOST_WAITING = 2_000
MOST_WAITING_BYTES = 256 << 20  # what waits may be in memory once more, on its way out
SPARE_FILES = 100  # of those that may be open, for all but connections
YIELD_EVERY = 50  # sendings, when they are late, so that replies are read in between


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is sent each time, and to which server."""

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

    def request(self) -> bytes:
        """Return the bytes on the wire."""
        head = [
            "POST /invocations HTTP/1.1",
            f"Host: {urlsplit(self.url).netloc}",
            f"Content-Type: {self.media_type}",
            f"Content-Length: {len(self.payload)}",
        ]
        return "\r\n".join([*head, "", ""]).encode() + self.payload

    def most_waiting(self) -> int:
        """Return how many may wait for their replies at once, by open files and memory."""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        by_files = MOST_WAITING if files == resource.RLIM_INFINITY else files - SPARE_FILES
        return max(1, min(MOST_WAITING, by_files, MOST_WAITING_BYTES // max(1, len(self.payload))))


@dataclass(frozen=True, slots=True)
class Step:
    """What one rate gave.

    ``rps`` counts replies of 200; ``growth_ms`` is the median latency of the last third less that of the first; ``waiting`` is
    None unless so many waited at once that the step was ended early; ``late_p99_ms`` is how long after their time invocations
    left; ``generator_cpu`` is in CPU seconds a second.
    """

    asked_rps: float
    rps: float
    p50_ms: float
    p99_ms: float
    mean_ms: float
    growth_ms: float
    error_share: float
    failures: dict[str, int]
    waiting: int | None
    late_p99_ms: float
    generator_cpu: float


@dataclass(slots=True)
class Caller:
    """Connections that stay open, and the outcomes of what was sent over them."""

    address: tuple[str, int]
    request: bytes
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    latencies: list[tuple[float, float]] = field(default_factory=list)  # by the time that was meant
    late: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    async def call(self, due: float) -> None:
        """Send one invocation and note its outcome."""
        self.late.append(time.perf_counter() - due)
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                status = await self._exchange()
            failure = None if status == HTTPStatus.OK else f"answered {status}"
        except TimeoutError:
            failure = f"no reply within {REPLY_SECONDS:.0f} s"
        except (OSError, asyncio.IncompleteReadError) as error:
            failure = getattr(error, "strerror", None) or "connection closed within a reply"
        except (ValueError, asyncio.LimitOverrunError):
            failure = "no HTTP in the reply"
        if failure:
            self.failures[failure] += 1
        self.latencies.append((due, time.perf_counter() - due))

    async def _exchange(self) -> int:
        reader, writer = await self._connection()
        try:
            writer.write(self.request)
            status, stays_open = await read_reply(reader)
        except BaseException:
            writer.close()
            raise
        if stays_open:
            self.idle.append((reader, writer))
        else:
            writer.close()
        return status

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(*self.address)


async def read_reply(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Read a reply to its end; return its status, and whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status, stays_open = (
        int(head[9:12]),
        head.startswith(b"http/1.1") and b"\r\nconnection: close" not in head,
    )
    _, there, rest = head.partition(b"\r\ncontent-length:")
    if there:
        await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    elif b"\r\ntransfer-encoding: chunked" in head:
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            await reader.readexactly(size + 2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers
    else:
        await reader.read()
        stays_open = False
    return status, stays_open


async def step(invocation: Invocation, rps: float, seconds: float) -> Step:
    """Send at a rate for so many seconds, and wait for the replies; end early when too many wait."""
    caller = Caller(invocation.address, invocation.request())
    most, waiting = invocation.most_waiting(), None
    tasks: set[asyncio.Task[None]] = set()
    start, cpu = time.perf_counter(), time.process_time()
    for number in range(max(1, round(rps * seconds))):
        due = start + number / rps
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        elif number % YIELD_EVERY == 0:
            await asyncio.sleep(0)
        if len(tasks) >= most:
            waiting = most
            break
        task = asyncio.create_task(caller.call(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    took = time.perf_counter() - start
    for _, writer in caller.idle:
        writer.close()
    # The last has its share of the time, too, so that no more replies a second are told than were asked for.
    return _told(
        caller, rps, max(took, len(caller.late) / rps), waiting, (time.process_time() - cpu) / took
    )


def _told(
    caller: Caller, asked_rps: float, seconds: float, waiting: int | None, generator_cpu: float
) -> Step:
    in_time = [latency for _, latency in sorted(caller.latencies)]
    latencies, late, failed = sorted(in_time), sorted(caller.late), caller.failures.total()
    third = math.ceil(len(in_time) / 3)
    return Step(
        asked_rps=asked_rps,
        rps=(len(latencies) - failed) / seconds,
        p50_ms=_ms(latencies, 0.5),
        p99_ms=_ms(latencies, 0.99),
        growth_ms=_ms(sorted(in_time[-third:]), 0.5) - _ms(sorted(in_time[:third]), 0.5),
        mean_ms=1000 * sum(latencies) / len(latencies),
        error_share=failed / len(latencies),
        failures=dict(caller.failures),
        waiting=waiting,
        late_p99_ms=_ms(late, 0.99),
        generator_cpu=generator_cpu,
    )


def _ms(ordered: list[float], share: float) -> float:
    return 1000 * ordered[math.ceil(len(ordered) * share) - 1]
