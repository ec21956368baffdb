"""Connections that occupy the server: idle ones, slow ones, and more than it can hold."""

import resource
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Self

import pytest
import requests

from tests.support.diamonds import ARTIFACT, CSV
from tests.support.server import Server, running

# More than a worker holds.
CONNECTIONS = 1100
PING_SECONDS = 20
BUSY, NEW = 100, 300
FRONT_ENDS = ("asgi", "flask")
SLOW_REQUEST = (
    b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
    b"Content-Length: 1000000\r\n\r\n1"
)
SLOW_CHUNKS = (
    b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n1"
)
PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
LAST_REQUEST = PING.replace(b"Host: x", b"Host: x\r\nConnection: close")


@pytest.fixture(scope="module", params=FRONT_ENDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(ARTIFACT, SERVE_FRONTEND=request.param) as server:
        yield server


@contextmanager
def connections(server: Server, count: int, data: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open connections that send data, without waiting until the server accepts them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.socket()) for _ in range(count)]
        for client in opened:
            client.setblocking(False)
            client.connect_ex(server.address)
        for client in opened if data else []:
            client.settimeout(PING_SECONDS)
            client.sendall(data)
        yield opened


def first_response(clients: list[socket.socket]) -> bytes:
    """Return the beginning of the first response to any of the clients."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ, client)
        key, _ = selector.select(PING_SECONDS)[0]
    return bytes(key.data.recv(1000))


def ping(server: Server) -> int:
    return requests.get(f"{server.url}/ping", timeout=PING_SECONDS).status_code


def test_idle_connections_do_not_occupy_the_server(server: Server) -> None:
    """2.3: a new connection is accepted in place of one of a thousand that send nothing."""
    with connections(server, CONNECTIONS):
        assert ping(server) == 200
        assert server.post(CSV).status_code == 200


@pytest.mark.parametrize("request_bytes", [SLOW_REQUEST, SLOW_CHUNKS], ids=["length", "chunks"])
def test_slow_bodies_do_not_occupy_the_server(server: Server, request_bytes: bytes) -> None:
    """2.3: a new connection is accepted in place of one whose body arrives byte by byte.

    The slow client gets status 408.
    """
    with connections(server, CONNECTIONS, request_bytes) as clients:
        assert ping(server) == 200
        response = first_response(clients)

    assert response.startswith(b"HTTP/1.1 408 ")
    assert b"incomplete body: received" in response


def test_a_full_server_completes_the_requests_that_it_has(server: Server) -> None:
    """3.1: a request whose last byte is late is not closed in favor of new connections."""
    body = CSV.encode() * 100
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(server.address, timeout=30) as client:
        client.sendall(head.encode() + body[:-1])
        with connections(server, CONNECTIONS):
            assert ping(server) == 200
            client.sendall(body[-1:])
            response = client.recv(65536)

    assert response.startswith(b"HTTP/1.1 200 ")


def test_clients_that_do_not_close_delay_no_one(server: Server) -> None:
    """2.3: connections that clients leave open after their last response block nothing."""
    with connections(server, 100, LAST_REQUEST) as clients:
        assert first_response(clients).startswith(b"HTTP/1.1 200 ")
        assert ping(server) == 200


def test_connections_are_accepted_beside_busy_ones() -> None:
    """2.3: new connections are accepted without waiting until the busy ones had one turn for each.

    In each turn of the event loop, each busy connection gets at most one response.
    """
    with (
        running(ARTIFACT, SERVE_FRONTEND="asgi") as server,
        connections(server, BUSY, PING) as busy,
        BusyClients(busy) as clients,
    ):
        before = clients.responses
        with connections(server, NEW, PING) as new:
            for client in new:
                assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        turns = (clients.responses - before) / BUSY

    assert turns < 30


class BusyClients(threading.Thread):
    """Sends a ping on each connection as soon as the previous one has its response."""

    def __init__(self, opened: list[socket.socket]) -> None:
        super().__init__()
        self.responses = 0
        self._opened = opened
        self._is_stopped = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_stopped.set()
        self.join()

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for client in self._opened:
                selector.register(client, selectors.EVENT_READ, client)
            while not self._is_stopped.is_set():
                for key, _ in selector.select(timeout=1):
                    key.data.recv(1000)
                    key.data.sendall(PING)
                    self.responses += 1
