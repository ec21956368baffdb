"""Callers that stop: what becomes of them in the end, which takes half a minute and so is tried at once for all."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.diamonds import ARTIFACT, CSV
from tests.support.server import running

WHOLE = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()
STALL_SECONDS = 30.0
SENT = {
    "asgi, nothing": ("asgi", b""),
    "asgi, half a head": ("asgi", WHOLE[:30]),
    "asgi, half a body": ("asgi", WHOLE[:-10]),
    "flask, half a body": ("flask", WHOLE[:-10]),
}


@pytest.fixture(scope="module")
def ends() -> Iterator[dict[str, tuple[bytes, float]]]:
    """What came back to each caller, and after how many seconds."""
    with ExitStack() as stack:
        servers = {
            front_end: stack.enter_context(running(ARTIFACT, SERVE_FRONTEND=front_end))
            for front_end in ("asgi", "flask")
        }
        started = time.monotonic()
        connections = {}
        for name, (front_end, sent) in SENT.items():
            connections[name] = stack.enter_context(
                socket.create_connection(servers[front_end].address, timeout=STALL_SECONDS + 10)
            )
            connections[name].sendall(sent)
        yield {
            name: (connection.recv(65536), time.monotonic() - started)
            for name, connection in connections.items()
        }


@pytest.mark.parametrize("name", ["asgi, half a body", "flask, half a body"])
def test_a_body_that_stops_is_408(ends: dict[str, tuple[bytes, float]], name: str) -> None:
    """3.13: a caller that stops in the middle of its body is told so in the end."""
    reply, seconds = ends[name]

    assert reply.startswith(b"HTTP/1.1 408 ")
    assert seconds > STALL_SECONDS - 5


@pytest.mark.parametrize("name", ["asgi, nothing", "asgi, half a head"])
def test_silent_connections_are_closed(ends: dict[str, tuple[bytes, float]], name: str) -> None:
    """1.7: behind the ASGI front end a connection that never brings a request, or only half of its head, is not kept for ever."""
    reply, seconds = ends[name]

    assert reply == b""
    assert seconds > STALL_SECONDS - 5
