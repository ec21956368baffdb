"""Contract 3: what else HTTP brings: methods, headers, sizes, broken requests."""

import gzip
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
import requests

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server, running

WHOLE = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_invocations_takes_post_only(diamonds: Server, method: str) -> None:
    """3.1: any other method is a 405 that allows POST."""
    response = requests.request(method, f"{diamonds.url}/invocations", timeout=5)

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    if method != "HEAD":
        assert "POST /invocations" in error_of(response)


def test_unknown_path_is_404(diamonds: Server) -> None:
    """3.10: what there is not is said in a line of JSON too."""
    response = requests.get(f"{diamonds.url}/predict", timeout=5)

    assert response.status_code == 404
    assert "POST /invocations" in error_of(response)


def test_unknown_headers_change_nothing(diamonds: Server) -> None:
    """3.2: headers that the platform may add are ignored."""
    unknown = {f"X-Unknown-{number}": "x" * number for number in range(50)}
    known = {
        "X-Amzn-SageMaker-Inference-Id": "a",
        "X-Amzn-SageMaker-Target-Model": "b.tar.gz",
        "X-Forwarded-For": "10.0.0.1",
    }

    np.testing.assert_array_equal(scores(diamonds.post(CSV, **unknown, **known)), expected())


@pytest.mark.parametrize(
    "attributes",
    [
        "trace=1;user=a b",
        "x" * 1024,
        '{"a": "é"}'.encode("ascii", "replace").decode(),
        "a%0d%0ab: c",
    ],
)
def test_custom_attributes_come_back(diamonds: Server, attributes: str) -> None:
    """3.7: the container itself sends the custom attributes back, on failures too."""
    for body in (CSV, "x"):
        response = diamonds.post(body, X_Amzn_SageMaker_Custom_Attributes=attributes)

        assert response.headers["X-Amzn-SageMaker-Custom-Attributes"] == attributes


@pytest.mark.parametrize("attributes", ["x" * 1025, "caf\xe9", "a\tb"])
def test_custom_attributes_outside_the_contract_are_not_sent_back(
    diamonds: Server, attributes: str
) -> None:
    """3.3 and 3.7: more than 1,024 characters, or others than visible ASCII, never reach a header."""
    response = diamonds.post(CSV, X_Amzn_SageMaker_Custom_Attributes=attributes.encode("latin-1"))  # type: ignore[arg-type]

    assert response.status_code == 200
    assert "X-Amzn-SageMaker-Custom-Attributes" not in response.headers


def test_custom_attributes_never_split_a_header(diamonds: Server) -> None:
    """3.7: a line break smuggled into a header is refused, not repeated."""
    reply = raw(
        diamonds,
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nX-Amzn-SageMaker-Custom-Attributes: a\r\n Set-Cookie: b\r\n\r\n",
    )

    assert reply.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nSet-Cookie" not in reply


def test_paths_do_not_move(diamonds: Server) -> None:
    """3.2: not even a caller on the loopback, whom gunicorn trusts as a proxy, moves the server's paths."""
    for header in ("SCRIPT_NAME", "PATH_INFO", "Script-Name"):
        assert (
            requests.get(f"{diamonds.url}/ping", headers={header: "/foo"}, timeout=5).status_code
            == 200
        )


def test_chunked_bodies(diamonds: Server) -> None:
    """5.16: a body may come in chunks, without its length."""

    def chunks() -> Iterator[bytes]:
        for line in CSV.encode().splitlines(keepends=True):
            yield line[:7]
            yield line[7:]

    np.testing.assert_array_equal(scores(diamonds.post(chunks())), expected())


@pytest.mark.parametrize("body", [b"0.5,Ideal", b"4\r\n0.5,\r\nzz\r\n"], ids=["length", "chunk"])
def test_body_that_breaks_off_is_no_payload(diamonds: Server, body: bytes) -> None:
    """3.13: a body that ends before its announced length is a 400, and never scored in part."""
    framing = b"Transfer-Encoding: chunked" if b"\r\n" in body else b"Content-Length: 100"
    reply = raw(
        diamonds, b"POST /invocations HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n" + body
    )

    assert reply.startswith(b"HTTP/1.1 400 ")
    assert "incomplete body" in strict(reply.partition(b"\r\n\r\n")[2].decode())["message"]


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"),
        (
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"400",
        ),
        (b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
        (
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: "
            + b"1" * 5000
            + b"\r\n\r\n",
            b"4",
        ),
    ],
)
def test_what_is_no_http_gets_json_too(
    diamonds: Server, request_head: bytes, status: bytes
) -> None:
    """3.10 and 3.13: not even a malformed request is answered in HTML."""
    head, _, body = raw(diamonds, request_head).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"application/json" in head
    told = strict(body.decode())
    assert set(told) == {"error", "message"}
    assert told["error"] != "Unknown"
    assert told["message"]
    assert requests.get(f"{diamonds.url}/ping", timeout=2).status_code == 200


@pytest.mark.parametrize(
    "first",
    [WHOLE, b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", b""],
    ids=["invocation", "ping", "nothing"],
)
@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_a_body_that_breaks_off_behind_another_request(
    diamonds: Server, first: bytes, framing: bytes
) -> None:
    """3.13: the request before is answered, and the broken one at once, with how much of it came."""
    sent = b"0.5,Ideal"
    cut = sent if framing.startswith(b"Content") else b"9\r\n" + sent + b"\r\n"
    started = time.monotonic()
    reply = raw(
        diamonds, first + b"POST /invocations HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n" + cut
    )
    seconds = time.monotonic() - started

    assert reply.count(b"HTTP/1.1 200 ") == bool(first)
    assert reply.count(b"HTTP/1.1 400 ") == 1
    assert reply.endswith(b"}\n")
    assert b"incomplete body" in reply
    assert seconds < 10  # no wait for a body that stalls
    if framing.startswith(b"Content"):
        assert b"expected 100 bytes, got 9" in reply


@pytest.mark.parametrize("target", ["http://x/ping", "http://x:8080/ping?a=b", "HTTP://x/ping"])
def test_the_whole_url_as_target(diamonds: Server, target: str) -> None:
    """2.1: a request may name the whole URL, which every server must take (RFC 9112, 3.2.2)."""
    assert raw(diamonds, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).startswith(
        b"HTTP/1.1 200 "
    )


@pytest.mark.parametrize("path", [b"/ping", b"/other"])
def test_an_offer_of_websockets_is_not_taken(diamonds: Server, path: bytes) -> None:
    """3.10: who offers another protocol gets HTTP, and errors in JSON."""
    offer = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n"
    head, _, body = raw(diamonds, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + offer).partition(
        b"\r\n\r\n"
    )

    assert head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
    assert head.startswith(b"HTTP/1.1 200 ") or set(strict(body.decode())) == {"error", "message"}


def test_too_large_a_payload_is_413_after_draining() -> None:
    """3.11 and 3.19: the limit's 413 reaches a caller that is still sending, whether it told the length or not."""
    with running(ARTIFACT, SAGEMAKER_MAX_PAYLOAD_IN_MB="1") as server:
        large = CSV.encode() * 10_000
        told, untold = server.post(large), server.post(iter([large]))
        just_fits = server.post(CSV + "\n" * ((1 << 20) - len(CSV)))
        one_more = server.post(CSV + "\n" * ((1 << 20) - len(CSV) + 1))

    assert [told.status_code, untold.status_code, one_more.status_code] == [413] * 3
    assert "1,048,576" in error_of(told)
    assert f"{len(large):,}" in error_of(told)
    assert f"{len(large):,}" in error_of(untold)
    np.testing.assert_array_equal(scores(just_fits), expected())


def test_payload_limit_in_bytes() -> None:
    """8.4: MAX_CONTENT_LENGTH is the limit in bytes; SAGEMAKER_MAX_PAYLOAD_IN_MB goes before it, and 0 lifts it."""
    with running(ARTIFACT, MAX_CONTENT_LENGTH="10") as server:
        assert server.post(CSV).status_code == 413
    with running(ARTIFACT, MAX_CONTENT_LENGTH="10", SAGEMAKER_MAX_PAYLOAD_IN_MB="0") as server:
        assert server.post(CSV).status_code == 200


def test_a_compressed_body_is_not_taken_for_csv(diamonds: Server) -> None:
    """3.13: bytes that are no text are a 400, never a number; only Content-Encoding says that a body is compressed."""
    response = diamonds.post(gzip.compress(CSV.encode()))

    assert response.status_code == 400
    assert "UTF-8" in error_of(response)


def test_keep_alive_after_an_error(diamonds: Server) -> None:
    """3.13: an error leaves the connection as it should be for the next request."""
    with requests.Session() as session:
        for body, status in ((b"x", 400), (CSV, 200), (b"y" * 100_000, 400), (CSV, 200)):
            response = session.post(
                f"{diamonds.url}/invocations",
                data=body,
                headers={"Content-Type": "text/csv"},
                timeout=5,
            )

            assert response.status_code == status


def raw(server: Server, request: bytes) -> bytes:
    """Send these bytes and no more, and return all that comes back."""
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
        return reply
