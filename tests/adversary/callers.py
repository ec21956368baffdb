"""Hold thousands of connections in one of several ways, and measure how the server answers others.

While the callers hold their connections, another process sends pings and predictions of one row,
each on a new connection. Exit code 1 means that one of those was not answered with status 200.
"""

import argparse
import asyncio
import multiprocessing
import random
import resource
import socket
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import requests

from bench.process_tree import pss_bytes
from tests.support.diamonds import ARTIFACT, CSV
from tests.support.server import Server, running

HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(CSV), CSV.encode())
LARGE_BODY = CSV.encode() * 4_000
LARGE_REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE_BODY) + LARGE_BODY
BYTE_SECONDS = 5.0
PROBE_SECONDS = 0.1
PROBE_TIMEOUT_SECONDS = 60.0
RECONNECT_SECONDS = 1.0

Caller = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


async def send_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bytes:
    """Wait until the server closes the connection."""
    return await reader.read(1000)


async def send_slow_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Send a head byte by byte."""
    return await _send_slowly(HEAD + b"X-Padding: " + b"a" * 1000, reader, writer)


async def send_slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Send a body byte by byte."""
    writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n")
    return await _send_slowly(b"1" * 1_000_000, reader, writer)


async def read_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Send a request with a large response, and do not read the response."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    client = writer.get_extra_info("socket")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    writer.write(LARGE_REQUEST)
    await writer.wait_closed()
    return b""


async def stay_connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Send a request that is the last one, and do not close the connection after the response."""
    writer.write(REQUEST.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    response = await reader.read(1000)
    await asyncio.sleep(PROBE_TIMEOUT_SECONDS)
    return response


async def send_requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Send a request as soon as the previous one has its response."""
    while True:
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        if not head.startswith(b"HTTP/1.1 200 "):
            return head


async def _send_slowly(
    data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    response = asyncio.ensure_future(reader.read(1000))
    for position in range(len(data)):
        await asyncio.wait([response], timeout=BYTE_SECONDS)
        if response.done():
            break
        writer.write(data[position : position + 1])
    return await response


CALLERS: dict[str, tuple[Caller, int]] = {
    "idle": (send_nothing, 2100),
    "slow-head": (send_slow_head, 2100),
    "slow-body": (send_slow_body, 2100),
    "slow-reader": (read_nothing, 200),
    "no-close": (stay_connected, 1000),
    "busy": (send_requests, 512),
}


@dataclass(frozen=True, slots=True)
class Attack:
    """Callers of one kind, and how many of them hold connections for how many seconds."""

    name: str
    connections: int
    seconds: float
    seed: int


@dataclass(slots=True)
class Probes:
    """The seconds that each ping and each prediction took, and the number that failed."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"ping": [], "predict": []})
    failed: int = 0
    pss_bytes: int = 0

    def describe(self) -> str:
        figures = [
            f"{name}: {len(seconds)} answered, median {statistics.median(seconds):.3f} s, "
            f"slowest {max(seconds):.2f} s"
            for name, seconds in self.seconds.items()
            if seconds
        ]
        figures += [f"{self.failed} failed", f"peak PSS {self.pss_bytes / 1e6:.0f} MB"]
        return "; ".join(figures)


def main() -> int:
    """Run the attacks that the command line asks for; return 1 if a probe failed."""
    options = _parse_options()
    failed = 0
    for front_end in options.front_end or ["asgi", "flask"]:
        for name in options.callers or CALLERS:
            count = options.connections or CALLERS[name][1]
            env = {"SERVE_FRONTEND": front_end, "SAGEMAKER_MODEL_SERVER_WORKERS": options.workers}
            with running(ARTIFACT, **env) as server:
                attack = Attack(name, count, options.seconds, options.seed)
                probes, statuses = run(server, attack)
            figures = f"{probes.describe()}; callers: {statuses}"
            print(f"{front_end}, {count} {name}: {figures}", flush=True)
            failed += probes.failed
    return 1 if failed else 0


def run(server: Server, attack: Attack) -> tuple[Probes, dict[str, int]]:
    """Return the probes' figures, and how many responses of each status the callers got."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(sender, server.address, attack))
    process.start()
    assert receiver.recv() == "connecting"
    probes = _probe(server, attack.seconds)
    statuses: dict[str, int] = receiver.recv()
    process.join()
    return probes, statuses


def _probe(server: Server, seconds: float) -> Probes:
    probes = Probes()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name, times in probes.seconds.items():
            started = time.monotonic()
            probes.failed += not _is_answered(server, name)
            times.append(time.monotonic() - started)
        assert server.process
        probes.pss_bytes = max(probes.pss_bytes, pss_bytes(server.process.pid))
        time.sleep(PROBE_SECONDS)
    return probes


def _is_answered(server: Server, name: str) -> bool:
    """Return whether a request on a new connection gets status 200."""
    try:
        if name == "ping":
            response = requests.get(f"{server.url}/ping", timeout=PROBE_TIMEOUT_SECONDS)
        else:
            response = server.post(CSV)
    except requests.RequestException:
        return False
    return bool(response.status_code == requests.codes.ok)


def _call(results: "Connection[Any, Any]", address: tuple[str, int], attack: Attack) -> None:
    """Hold connections, as a process of its own."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    results.send("connecting")
    results.send(asyncio.run(_hold(address, attack)))


async def _hold(address: tuple[str, int], attack: Attack) -> dict[str, int]:
    """Hold connections for some seconds, reopening those that close; return the statuses."""
    caller, _ = CALLERS[attack.name]
    statuses: Counter[str] = Counter()
    generator = random.Random(attack.seed)
    deadline = time.monotonic() + attack.seconds

    async def reconnect() -> None:
        await asyncio.sleep(generator.random() * RECONNECT_SECONDS)
        while True:
            try:
                reader, writer = await asyncio.open_connection(*address)
                response = await caller(reader, writer)
                writer.close()
                statuses[response[9:12].decode() or "closed"] += 1
            except (OSError, asyncio.IncompleteReadError):
                statuses["reset"] += 1
            await asyncio.sleep(RECONNECT_SECONDS)

    tasks = [asyncio.ensure_future(reconnect()) for _ in range(attack.connections)]
    await asyncio.wait(tasks, timeout=deadline - time.monotonic())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return dict(statuses)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.adversary.callers", description=__doc__)
    parser.add_argument("callers", nargs="*", help=f"some of {', '.join(CALLERS)} (all)")
    parser.add_argument("--front-end", action="append", choices=("asgi", "flask"))
    parser.add_argument("--connections", type=int, help="how many connections to hold")
    parser.add_argument("--seconds", type=float, default=30, help="how long to hold them (30)")
    parser.add_argument("--workers", default="2", help="the server's worker processes (2)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the callers' pauses (1)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
