"""Contract 3: the heads of requests, valid and invalid, alike in both front ends."""

import json

import numpy as np
import pytest
import requests

from tests.support.diamonds import CSV, expected
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server

HOST = "Host: x\r\n"


def send(server: Server, head: str, body: str = "") -> tuple[int, str]:
    """Send a request, and return the status and the body of the only response."""
    response = server.exchange(f"{head}\r\n{body}".encode("latin-1")).decode()
    status_line, _, rest = response.partition("\r\n")
    return int(status_line.split()[1]), rest.partition("\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://[::1/ping", 400),
        ("http://[x]/ping", 400),
        ("http://[v1.x/ping", 400),
        ("http://a[b/ping", 400),
        ("http://x:abc/ping", 400),
        ("http://x:65536/ping", 400),
        ("http:///ping", 400),
        ("://x/ping", 400),
        ("ftp://x/ping", 400),
        ("http://x/ping#a", 400),
        ("/ping#a", 400),
        ("/p\xffing", 400),
        ("x/ping", 400),
        ("*", 400),
        ("/%zz", 404),
        ("/ping%00", 404),
        ("//[x/ping", 404),
        ("/ping?url=http://[::1", 200),
        ("http://[::1]:8080/ping", 200),
        ("http://x/%70ing?a=b", 200),
        ("/" + "a" * 5000, 414),
    ],
)
def test_targets(diamonds: Server, target: str, status: int) -> None:
    """2.1: an invalid request target is a 400, never a 500; a valid URL is accepted."""
    got, body = send(diamonds, f"POST {target} HTTP/1.1\r\n{HOST}")

    assert got == status
    assert status == 200 or strict(body)["message"]


def test_absolute_url_of_a_rare_route(diamonds: Server) -> None:
    """5.2: every route may be requested by an absolute URL."""
    status, body = send(diamonds, f"GET http://x/execution-parameters HTTP/1.1\r\n{HOST}")

    assert status == 200
    assert "MaxPayloadInMB" in json.loads(body)


@pytest.mark.parametrize(
    ("version", "headers", "status"),
    [
        ("1.1", "", 400),
        ("1.0", "", 200),
        ("1.1", "Host:\r\n", 200),
        ("1.1", "Host: xgb_endpoint-1.local:8080\r\n", 200),
        ("1.1", "Host: [2001:db8::1]:8080\r\n", 200),
        ("1.1", "Host: a b\r\n", 400),
        ("1.1", "Host: a,b:c\r\n", 400),
        ("1.0", "Host: http://x\r\n", 400),
        ("1.1", HOST + HOST, 400),
        ("1.2", HOST, 400),
        ("2.0", HOST, 400),
    ],
)
def test_host(diamonds: Server, version: str, headers: str, status: int) -> None:
    """2.1: HTTP/1.1 requires a valid Host; a health check may use HTTP/1.0 without it."""
    got, body = send(diamonds, f"GET /ping HTTP/{version}\r\n{headers}")

    assert got == status
    assert status == 200 or strict(body)["message"]


@pytest.mark.parametrize(
    ("version", "headers", "status"),
    [
        ("1.1", "Transfer-Encoding: gzip, chunked\r\n", 501),
        ("1.1", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501),
        ("1.1", "Transfer-Encoding: br, chunked\r\n", 501),
        ("1.1", "Transfer-Encoding: chunked; a=b\r\n", 501),
        ("1.1", "Transfer-Encoding: gzip\r\n", 400),
        ("1.1", "Transfer-Encoding: chunked, gzip\r\n", 400),
        ("1.1", "Transfer-Encoding: chunked, chunked\r\n", 400),
        ("1.0", "Transfer-Encoding: chunked\r\n", 400),
        ("1.1", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400),
        ("1.1", "Content-Length: 5\r\nContent-Length: 5\r\n", 400),
        ("1.1", "Content-Length: 5, 5\r\n", 400),
        ("1.1", "Content-Length: +5\r\n", 400),
        ("1.1", "Expect: 200-ok\r\n", 417),
        ("1.1", "X-A: a\r\n b\r\n", 400),
        ("1.1", "X-\xff: a\r\n", 400),
        ("1.1", "X-A : a\r\n", 400),
    ],
)
def test_framing(diamonds: Server, version: str, headers: str, status: int) -> None:
    """3.13: a transfer coding other than chunked is a 501; ambiguous framing is a 400."""
    head = f"POST /invocations HTTP/{version}\r\n{HOST}{headers}"
    got, body = send(diamonds, head, "0\r\n\r\n")

    assert got == status
    assert set(strict(body)) == {"error", "message", "request_id"}


@pytest.mark.parametrize(
    ("name", "value", "repeated"),
    [
        ("Content-Type", "text/csv;" + " " * 8000 + "x", 1),
        ("Content-Type", 'text/csv;a="' + '\\"' * 4000, 1),
        ("Accept", "text/csv;q=0.1," * 540, 97),
        ("Accept", "text/csv," * 57, 2),
        ("Content-Encoding", "identity," * 114, 1),
    ],
)
def test_headers_over_limit_are_431(diamonds: Server, name: str, value: str, repeated: int) -> None:
    """3.3: a header over 1,024 characters is a 431; the values of repeated headers are joined."""
    head = f"POST /invocations HTTP/1.1\r\n{HOST}Content-Length: 1\r\n"
    status, body = send(diamonds, head + f"{name}: {value}\r\n" * repeated, "1")

    assert status == 431
    assert f"{name}: expected at most 1,024 characters, got " in strict(body)["message"]
    assert send(diamonds, f"GET /ping HTTP/1.1\r\n{HOST}{name}: {value}\r\n")[0] == 200


def test_headers_at_the_limit_are_accepted(diamonds: Server) -> None:
    """3.3: Content-Type and Accept of 1,024 characters are accepted."""
    content_type = "text/csv; profile=".ljust(1024, "x")
    accept = "text/csv".ljust(1023) + ","
    response = diamonds.post(CSV, content_type, Accept=accept)

    np.testing.assert_array_equal(scores(response), expected())


def test_reason_phrase_of_431(diamonds: Server) -> None:
    """3.10: the status line of a rejected header contains the reason phrase of RFC 6585."""
    response = diamonds.post(CSV, "text/csv;" + "x" * 2000)

    assert response.status_code == requests.codes.header_fields_too_large
    assert response.reason.title() == "Request Header Fields Too Large"
    assert "1,024" in error_of(response)


def test_an_empty_line_before_a_request_is_ignored(diamonds: Server) -> None:
    """2.1: an empty line before a request, as after an old client's body, is ignored."""
    ping = f"GET /ping HTTP/1.1\r\n{HOST}\r\n"
    invocation = (
        f"POST /invocations HTTP/1.1\r\n{HOST}Content-Type: text/csv\r\n"
        f"Content-Length: {len(CSV)}\r\n\r\n{CSV}"
    )
    requests_sent = f"\r\n{ping}\r\n{invocation}\r\n{ping}"
    responses = diamonds.exchange(requests_sent.encode())

    assert responses.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert responses.count(b"HTTP/1.1 ") == 3


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f" /ping HTTP/1.1\r\n{HOST}", 200),
        (f" /execution-parameters HTTP/1.1\r\n{HOST}", 200),
        (f" /nothing HTTP/1.1\r\n{HOST}", 404),
        (f" /invocations HTTP/1.1\r\n{HOST}", 405),
        (f" /invocations HTTP/1.1\r\n{HOST}Content-Length: 3\r\n", 405),
        (" /ping HTTP/1.1\r\n", 400),
        (f" /ping HTTP/1.1\r\n{HOST}Expect: nothing\r\n", 417),
        (f" /ping HTTP/1.1\r\n{HOST}a b: c\r\n", 400),
        (f" /ping HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n", 501),
    ],
)
def test_head_is_get_without_body(diamonds: Server, head: str, status: int) -> None:
    """2.1: HEAD has the status and the headers of GET, also for an error, and never a body."""
    sent = "abc" if "Content-Length" in head else ""
    of_get, of_head = (
        diamonds.exchange(f"{method}{head}Connection: close\r\n\r\n{sent}".encode())
        for method in ("GET", "HEAD")
    )
    start, _, body = of_head.decode().partition("\r\n\r\n")

    assert body == ""
    assert start.startswith(f"HTTP/1.1 {status} ")
    # Some messages contain the method, which has one letter more.
    assert read_length(of_head.decode()) - read_length(of_get.decode()) in (0, 1)
    assert read_length(of_get.decode()) == len(of_get.partition(b"\r\n\r\n")[2])


def read_length(response: str) -> int:
    """Return the Content-Length of a response."""
    return int(response.split("Content-Length: ")[1].split("\r\n", maxsplit=1)[0])


def test_an_invalid_rest_of_a_body_is_not_a_second_error(diamonds: Server) -> None:
    """3.13: a rejected request has one response, even if the rest of its body is invalid."""
    responses = diamonds.exchange(
        b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"
    )

    assert responses.count(b"HTTP/1.1 ") == 1
