"""Contract 1.3: graceful shutdown on SIGTERM."""

import signal
import socket
import threading
import time
from pathlib import Path

import numpy as np
import requests

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import scores
from tests.support.server import Server, free_port, running, start, stop, wait_until_ready

LARGE = CSV * 8_000


def test_gunicorn_runs_in_the_entrypoint_process() -> None:
    """1.2 and 1.4: the entrypoint's process receives signals, and its children are workers."""
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="3") as server:
        assert server.process
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        deadline = time.monotonic() + 10
        while len(children.read_text().split()) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        workers = children.read_text().split()

    assert len(workers) == 3
    assert server.process.returncode == 0


def test_shutdown_completes_invocations_in_flight() -> None:
    """1.3: invocations in flight at SIGTERM get complete responses, within 30 s; exit code 0."""
    port = free_port()
    process = start(ARTIFACT, port)
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server)
    responses: list[requests.Response] = []
    clients = [
        threading.Thread(target=lambda: responses.append(server.post(LARGE))) for _ in range(4)
    ]
    for client in clients:
        client.start()
    time.sleep(0.3)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    for client in clients:
        client.join()
    exit_code = process.wait(30)
    stop(process)

    assert exit_code == 0
    assert time.monotonic() - started < 25
    for response in responses:
        np.testing.assert_array_equal(scores(response), np.tile(expected(), 8_000))


def test_shutdown_under_load_loses_no_request() -> None:
    """1.3: while new connections arrive, each request sent before SIGTERM gets a response."""
    port = free_port()
    process = start(ARTIFACT, port)
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server)
    outcomes: list[tuple[float, bytes]] = []
    clients = [
        threading.Thread(target=send_until_refused, args=(server, outcomes)) for _ in range(16)
    ]
    for client in clients:
        client.start()
    deadline = time.monotonic() + 30
    while len(outcomes) <= 100 and time.monotonic() < deadline:
        time.sleep(0.05)
    signal_time = time.monotonic()
    process.send_signal(signal.SIGTERM)
    exit_code = process.wait(30)
    for client in clients:
        client.join()
    stop(process)

    sent_before = [response for sent, response in outcomes if sent < signal_time]
    assert exit_code == 0
    assert len(sent_before) > 100
    failed = [response for response in sent_before if not response.startswith(b"HTTP/1.1 200 ")]
    assert failed == []


def send_until_refused(server: Server, outcomes: list[tuple[float, bytes]]) -> None:
    """Send requests, each on a new connection; record its time and its response, or its error."""
    request = (
        "POST /invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Length: {len(CSV)}\r\n\r\n{CSV}"
    ).encode()
    while True:
        try:
            connection = socket.create_connection(server.address, timeout=20)
        except OSError:
            return
        with connection:
            sent = float("inf")
            response = b""
            try:
                connection.sendall(request)
                sent = time.monotonic()
                response = connection.recv(65536)
            except OSError as error:
                response = repr(error).encode()
            outcomes.append((sent, response))


def test_shutdown_with_stalled_clients() -> None:
    """1.3: clients stalled in the middle of a body do not delay shutdown beyond 30 s."""
    port = free_port()
    process = start(ARTIFACT, port)
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server)
    stalled = [socket.create_connection(server.address) for _ in range(5)]
    for connection in stalled:
        connection.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0.5"
        )
    time.sleep(0.2)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    exit_code = process.wait(30)
    for connection in stalled:
        connection.close()
    stop(process)

    assert exit_code == 0
    assert time.monotonic() - started < 28
