"""Contract 1.3: SIGTERM."""

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


def test_gunicorn_becomes_the_very_process() -> None:
    """1.2 and 1.4: the process that was started is the one that takes the signal, and its children are its workers."""
    with running(ARTIFACT, SAGEMAKER_MODEL_SERVER_WORKERS="3") as server:
        assert server.process
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        deadline = time.monotonic() + 10
        while len(children.read_text().split()) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        workers = children.read_text().split()

    assert len(workers) == 3
    assert server.process.returncode == 0


def test_stop_answers_what_is_in_flight() -> None:
    """1.3: invocations under way at the signal are answered in full; the exit code is 0, well inside 30 s."""
    port = free_port()
    process = start(ARTIFACT, port)
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server)
    responses: list[requests.Response] = []
    callers = [
        threading.Thread(target=lambda: responses.append(server.post(LARGE))) for _ in range(4)
    ]
    for caller in callers:
        caller.start()
    time.sleep(0.3)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    for caller in callers:
        caller.join()
    exit_code = process.wait(30)
    stop(process)

    assert exit_code == 0
    assert time.monotonic() - started < 25
    for response in responses:
        np.testing.assert_array_equal(scores(response), np.tile(expected(), 8_000))


def test_stop_under_load_loses_no_request() -> None:
    """1.3: under a load of new connections, each request that was sent before the signal is answered."""
    port = free_port()
    process = start(ARTIFACT, port)
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server)
    outcomes: list[tuple[float, bytes]] = []
    callers = [
        threading.Thread(target=call_until_refused, args=(server, outcomes)) for _ in range(16)
    ]
    for caller in callers:
        caller.start()
    time.sleep(1.0)
    signalled = time.monotonic()
    process.send_signal(signal.SIGTERM)
    exit_code = process.wait(30)
    for caller in callers:
        caller.join()
    stop(process)

    before = [reply for sent, reply in outcomes if sent < signalled]
    assert exit_code == 0
    assert len(before) > 100
    assert [reply for reply in before if not reply.startswith(b"HTTP/1.1 200 ")] == []


def call_until_refused(server: Server, outcomes: list[tuple[float, bytes]]) -> None:
    """Send request after request, each on a connection of its own; note when each was sent and what came back."""
    request = f"POST /invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()
    while True:
        try:
            connection = socket.create_connection(server.address, timeout=20)
        except OSError:
            return
        with connection:
            sent = float("inf")
            reply = b""
            try:
                connection.sendall(request)
                sent = time.monotonic()
                reply = connection.recv(65536)
            except OSError as error:
                reply = repr(error).encode()
            outcomes.append((sent, reply))


def test_stop_with_stuck_callers() -> None:
    """1.3: callers that sent half a body and stopped do not hold the stop up beyond the platform's patience."""
    port = free_port()
    process = start(ARTIFACT, port)
    server = Server(f"http://127.0.0.1:{port}", process)
    wait_until_ready(server)
    stuck = [socket.create_connection(server.address) for _ in range(5)]
    for connection in stuck:
        connection.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0.5"
        )
    time.sleep(0.2)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    exit_code = process.wait(30)
    for connection in stuck:
        connection.close()
    stop(process)

    assert exit_code == 0
    assert time.monotonic() - started < 28
