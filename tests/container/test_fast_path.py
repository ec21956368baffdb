"""SERVE_FAST_PATH: short requests get the same responses without gunicorn's parser."""

import socket
import threading
from collections.abc import Iterable

import numpy as np

from tests.adversary.heads.fast_path import SETTINGS, compare
from tests.adversary.heads.sessions import generate_session
from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.server import running

SESSIONS = 150
LINE = CSV.splitlines()[0].encode()
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
UNREAD = 300
ROWS = 1_000


def build(*lines: bytes, body: bytes = LINE) -> bytes:
    """Return an invocation with these headers in addition."""
    length = b"Content-Length: %d" % len(body)
    return HEAD + b"".join(line + b"\r\n" for line in [*lines, length]) + b"\r\n" + body


TAKEN = {
    "plain": build(),
    "unique headers": build(b"X-Amzn-Trace-Id: Root=1-5759e988", b"traceparent: 00-4bf9-00f0-01"),
    "a long header": build(b"Cookie: " + b"x" * 1_000),
    "names in other cases": build().replace(b"Content-Length", b"CONTENT-length"),
    "a proxy's headers": build(b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: https"),
    "Connection": build(b"Connection: keep-alive"),
    "attributes": build(b"X-Amzn-SageMaker-Custom-Attributes: a=1", b"X-Request-Id: my-id"),
}
LEFT = {
    "HTTP/1.0": build(b"Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a query": build().replace(b"/invocations", b"/invocations?a=1"),
    "Expect": build(b"Expect: 100-continue"),
    "TE": build(b"TE: trailers"),
    "Upgrade": build(b"Connection: upgrade", b"Upgrade: h2c"),
    "a long head": build(*[b"X-Long: " + b"x" * 1_000] * 5),
    "repeated Accept": build(b"Accept: text/csv", b"Accept: */*"),
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(LINE), LINE),
}


def send_each(requests: Iterable[bytes], **settings: str) -> list[bool]:
    """Send invocations on one connection; return, of each, whether it took the fast path."""
    settings["SAGEMAKER_CONTAINER_LOG_LEVEL"] = "DEBUG"
    with (
        running(ARTIFACT, **settings) as server,
        socket.create_connection(server.address, timeout=10) as connection,
    ):
        for request in requests:
            connection.sendall(request)
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            assert b" 200 OK\r\n" in head
            assert np.float32(body.decode()) == expected()[0]
    events = [event for event in server.events() if event["event"] == "request succeeded"]
    return [event["fast_path"] for event in events]


def test_responses_do_not_depend_on_the_fast_path() -> None:
    """The bytes of all responses to valid and invalid requests, however cut, are the same."""
    with (
        running(ARTIFACT, SERVE_FAST_PATH="on", **SETTINGS) as fast,
        running(ARTIFACT, SERVE_FAST_PATH="off", **SETTINGS) as slow,
    ):
        sessions = [generate_session(seed=16, index=index) for index in range(SESSIONS)]
        differences = [compare(fast, slow, segments) for segments in sessions]

    assert [difference for difference in differences if difference] == []


def test_fast_path_takes_ordinary_requests() -> None:
    """The fast path takes a complete request, whatever headers a client or proxy adds."""
    taken = send_each(TAKEN.values())

    assert dict(zip(TAKEN, taken, strict=True)) == dict.fromkeys(TAKEN, True)


def test_fast_path_leaves_other_requests_to_gunicorn() -> None:
    """Whatever is not beyond doubt gets gunicorn's response, and then the path is free again."""
    requests = [request for left in LEFT.values() for request in (left, build())]
    taken = send_each(requests)

    assert dict(zip(LEFT, taken[::2], strict=True)) == dict.fromkeys(LEFT, False)
    assert all(taken[1::2])


def test_fast_path_can_be_turned_off() -> None:
    """SERVE_FAST_PATH=off leaves every request to gunicorn."""
    assert send_each([build(), build()], SERVE_FAST_PATH="off") == [False, False]


def test_limits_hold_on_the_fast_path() -> None:
    """8.4: a payload beyond the limit is a 413, also if it arrives in one piece."""
    with (
        running(ARTIFACT, MAX_CONTENT_LENGTH="10") as server,
        socket.create_connection(server.address, timeout=10) as connection,
    ):
        connection.sendall(build())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_unread_responses_are_not_lost() -> None:
    """A client that sends many requests before it reads gets all responses, and delays nobody."""
    requests = build(body=b"\n".join([LINE] * ROWS)) * UNREAD
    with (
        running(ARTIFACT) as server,
        socket.create_connection(server.address, timeout=20) as slow,
    ):
        sender = threading.Thread(target=slow.sendall, args=(requests,))
        sender.start()
        assert server.exchange(build()).startswith(b"HTTP/1.1 200 OK\r\n")
        received = b""
        while received.count(b"HTTP/1.1 200 OK\r\n") < UNREAD or not received.endswith(b"\n"):
            received += slow.recv(1 << 20)
        sender.join()

    assert received.count(str(expected()[0]).encode() + b"\n") == UNREAD * ROWS
