"""Contract 2: health checks with /ping."""

import socket
import threading
import time

import pytest
import requests

from tests.support.diamonds import CSV
from tests.support.server import Server

LARGE = CSV * 5_000  # 50,000 diamonds, 2 MB


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_ping_is_200_with_an_empty_body(diamonds: Server, method: str) -> None:
    """2.1 and 2.2: GET, HEAD and POST get status 200 with an empty body."""
    response = requests.request(method, f"{diamonds.url}/ping", timeout=2)

    assert response.status_code == 200
    assert response.content == b""
    assert "Content-Type" not in response.headers


def test_ping_rejects_other_methods(diamonds: Server) -> None:
    """2.2: any other method gets status 405 and the allowed methods."""
    response = requests.delete(f"{diamonds.url}/ping", timeout=2)

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_ping_while_every_worker_is_busy(diamonds: Server) -> None:
    """2.3 and 1.7: during large invocations, connect within 250 ms and ping within 2 s."""
    statuses: list[int] = []
    clients = [
        threading.Thread(target=lambda: statuses.append(diamonds.post(LARGE).status_code))
        for _ in range(8)
    ]
    for client in clients:
        client.start()
    time.sleep(0.3)
    pings = 0
    while any(client.is_alive() for client in clients):
        assert_ping_in_time(diamonds)
        pings += 1
    for client in clients:
        client.join()

    assert statuses == [200] * 8
    assert pings > 0


def test_ping_while_clients_are_stalled(diamonds: Server) -> None:
    """2.3 and 1.7: with 40 clients stalled in mid-body, connect within 250 ms, ping within 2 s."""
    half = (
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
        b"Content-Length: 100\r\n\r\n0.5,Ideal"
    )
    stalled = [socket.create_connection(diamonds.address, timeout=2) for _ in range(40)]
    for connection in stalled:
        connection.sendall(half)
    time.sleep(0.5)

    for _ in range(20):
        assert_ping_in_time(diamonds)
    for connection in stalled:
        connection.close()


def assert_ping_in_time(server: Server) -> None:
    with socket.create_connection(server.address, timeout=0.25) as connection:
        connection.settimeout(2.0)
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
