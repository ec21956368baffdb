"""Timeouts of clients and workers; all cases run at once, because each takes half a minute."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.container.test_workers import wait_for_workers
from tests.support.diamonds import ARTIFACT, CSV
from tests.support.server import running

COMPLETE_REQUEST = (
    f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()
)
STALL_SECONDS = 30.0
SENT = {
    "asgi, nothing": ("asgi", b""),
    "asgi, half a head": ("asgi", COMPLETE_REQUEST[:30]),
    "flask, nothing": ("flask", b""),
    "flask, half a head": ("flask", COMPLETE_REQUEST[:30]),
    "asgi, half a body": ("asgi", COMPLETE_REQUEST[:-10]),
    "flask, half a body": ("flask", COMPLETE_REQUEST[:-10]),
    "asgi, slow body": ("asgi", COMPLETE_REQUEST[:-100]),
    "flask, slow body": ("flask", COMPLETE_REQUEST[:-100]),
    "asgi, stuck worker": ("asgi stuck", COMPLETE_REQUEST),
    "flask, stuck worker": ("flask stuck", COMPLETE_REQUEST),
}
SLOW = ("asgi, slow body", "flask, slow body")
BYTE_SECONDS = 5.0


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, tuple[bytes, float]]]:
    """The response to each client, and the seconds until it arrived or the connection closed."""
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(running(ARTIFACT, SERVE_FRONTEND=name.split()[0]))
            for name in ("asgi", "flask", "asgi stuck", "flask stuck")
        }
        for name in ("asgi stuck", "flask stuck"):
            os.kill(wait_for_workers(servers[name], 1)[0], signal.SIGSTOP)
        started = time.monotonic()
        connections = {}
        for name, (server, sent) in SENT.items():
            connections[name] = stack.enter_context(
                socket.create_connection(servers[server].address, timeout=STALL_SECONDS + 10)
            )
            connections[name].sendall(sent)
        while time.monotonic() < started + STALL_SECONDS:
            time.sleep(BYTE_SECONDS)
            for name in SLOW:
                connections[name].sendall(b"1")
        yield {
            name: (connection.recv(65536), time.monotonic() - started)
            for name, connection in connections.items()
        }


@pytest.mark.parametrize("name", ["asgi, half a body", "flask, half a body", *SLOW])
def test_stalled_body_is_408(outcomes: dict[str, tuple[bytes, float]], name: str) -> None:
    """3.13: a client that stalls in its body, or sends it byte by byte, gets status 408."""
    response, seconds = outcomes[name]

    assert response.startswith(b"HTTP/1.1 408 ")
    assert seconds > STALL_SECONDS - 5


@pytest.mark.parametrize("name", ["asgi, stuck worker", "flask, stuck worker"])
def test_stuck_worker_is_replaced(outcomes: dict[str, tuple[bytes, float]], name: str) -> None:
    """2.6: after half a minute, a worker that hangs is replaced, and another one responds."""
    response, _ = outcomes[name]

    assert response.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "name", ["asgi, nothing", "asgi, half a head", "flask, nothing", "flask, half a head"]
)
def test_connection_without_request_is_closed(
    outcomes: dict[str, tuple[bytes, float]], name: str
) -> None:
    """1.7: a connection without a complete request head is closed."""
    response, seconds = outcomes[name]

    assert response == b""
    assert seconds > STALL_SECONDS - 5
