"""The load generator's HTTP client: keep-alive connections, and the outcome of each request."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus

RESPONSE_TIMEOUT_SECONDS = 10.0


@dataclass(slots=True)
class LoadClient:
    """Sends one request repeatedly over keep-alive connections, and records the outcomes."""

    address: tuple[str, int]
    request: bytes
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    # (scheduled time, latency) of each request, in seconds
    latencies: list[tuple[float, float]] = field(default_factory=list)
    send_delays: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    async def send(self, scheduled: float) -> None:
        """Send one request, wait for its response, and record the outcome."""
        self.send_delays.append(time.perf_counter() - scheduled)
        failure = None
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                status = await self._exchange()
            if status != HTTPStatus.OK:
                failure = f"status {status}"
        except TimeoutError:
            failure = f"no response within {RESPONSE_TIMEOUT_SECONDS:.0f} s"
        except (OSError, asyncio.IncompleteReadError) as error:
            failure = getattr(error, "strerror", None) or "connection closed during a response"
        except (ValueError, asyncio.LimitOverrunError):
            failure = "invalid HTTP response"
        if failure:
            self.failures[failure] += 1
        self.latencies.append((scheduled, time.perf_counter() - scheduled))

    def close(self) -> None:
        """Close the idle connections."""
        for _, writer in self.idle:
            writer.close()

    async def _exchange(self) -> int:
        reader, writer = await self._connect()
        try:
            writer.write(self.request)
            status, keep_alive = await read_response(reader)
        except BaseException:
            writer.close()
            raise
        if keep_alive:
            self.idle.append((reader, writer))
        else:
            writer.close()
        return status

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(*self.address)


async def read_response(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Read a whole response; return its status, and whether the connection can be reused."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    keep_alive = head.startswith(b"http/1.1") and b"\r\nconnection: close" not in head
    _, has_length, rest = head.partition(b"\r\ncontent-length:")
    if has_length:
        await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    elif b"\r\ntransfer-encoding: chunked" in head:
        await _read_chunks(reader)
    else:
        await reader.read()
        keep_alive = False
    return status, keep_alive


async def _read_chunks(reader: asyncio.StreamReader) -> None:
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        await reader.readexactly(size + 2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
