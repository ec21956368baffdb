"""Contract 3: methods, headers, size limits and invalid requests."""

import gzip
import time
from collections.abc import Iterator

import numpy as np
import pytest
import requests

from tests.support.diamonds import ARTIFACT, CSV, expected
from tests.support.responses import error_of, scores, strict
from tests.support.server import Server, running

COMPLETE_REQUEST = (
    f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CSV)}\r\n\r\n{CSV}".encode()
)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_invocations_allows_only_post(diamonds: Server, method: str) -> None:
    """3.1: any method but POST is rejected with status 405 and Allow: POST."""
    response = requests.request(method, f"{diamonds.url}/invocations", timeout=5)

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    if method != "HEAD":
        assert "POST /invocations" in error_of(response)


def test_unknown_path_is_404(diamonds: Server) -> None:
    """3.10: an unknown path is rejected with a line of JSON that lists the routes."""
    response = requests.get(f"{diamonds.url}/predict", timeout=5)

    assert response.status_code == 404
    assert "POST /invocations" in error_of(response)


def test_unknown_headers_are_ignored(diamonds: Server) -> None:
    """3.2: headers that SageMaker may add do not affect the response."""
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
def test_custom_attributes_are_echoed(diamonds: Server, attributes: str) -> None:
    """3.7: the container echoes the custom attributes, in error responses too."""
    for body in (CSV, "x"):
        response = diamonds.post(body, X_Amzn_SageMaker_Custom_Attributes=attributes)

        assert response.headers["X-Amzn-SageMaker-Custom-Attributes"] == attributes


@pytest.mark.parametrize("attributes", ["x" * 1025, "caf\xe9", "a\tb"])
def test_invalid_custom_attributes_are_not_echoed(diamonds: Server, attributes: str) -> None:
    """3.3 and 3.7: attributes over 1,024 characters long, or not visible ASCII, are not echoed."""
    response = diamonds.post(CSV, X_Amzn_SageMaker_Custom_Attributes=attributes.encode("latin-1"))  # type: ignore[arg-type]

    assert response.status_code == 200
    assert "X-Amzn-SageMaker-Custom-Attributes" not in response.headers


def test_line_break_in_header_is_rejected(diamonds: Server) -> None:
    """3.7: a line break in the custom attributes is rejected, and does not inject a header."""
    response = diamonds.exchange(
        b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
        b"X-Amzn-SageMaker-Custom-Attributes: a\r\n Set-Cookie: b\r\n\r\n",
    )

    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nSet-Cookie" not in response


def test_proxy_headers_do_not_change_routes(diamonds: Server) -> None:
    """3.2: SCRIPT_NAME from the loopback, which gunicorn trusts, does not change the routes."""
    for header in ("SCRIPT_NAME", "PATH_INFO", "Script-Name"):
        assert (
            requests.get(f"{diamonds.url}/ping", headers={header: "/foo"}, timeout=5).status_code
            == 200
        )


def test_chunked_body(diamonds: Server) -> None:
    """5.16: a body may be chunked, without Content-Length."""

    def chunks() -> Iterator[bytes]:
        for line in CSV.encode().splitlines(keepends=True):
            yield line[:7]
            yield line[7:]

    np.testing.assert_array_equal(scores(diamonds.post(chunks())), expected())


@pytest.mark.parametrize("body", [b"0.5,Ideal", b"4\r\n0.5,\r\nzz\r\n"], ids=["length", "chunk"])
def test_incomplete_body_is_rejected(diamonds: Server, body: bytes) -> None:
    """3.13: a body that ends too early is rejected with status 400 and never predicted in part."""
    framing = b"Transfer-Encoding: chunked" if b"\r\n" in body else b"Content-Length: 100"
    response = diamonds.exchange(
        b"POST /invocations HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n" + body
    )

    assert response.startswith(b"HTTP/1.1 400 ")
    assert "incomplete body" in strict(response.partition(b"\r\n\r\n")[2].decode())["message"]


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"),
        (
            (
                b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
                b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
            ),
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
def test_invalid_http_is_rejected_in_json(
    diamonds: Server, request_head: bytes, status: bytes
) -> None:
    """3.10 and 3.13: the response to invalid HTTP is JSON, and the server keeps serving."""
    head, _, body = diamonds.exchange(request_head).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"application/json" in head
    error = strict(body.decode())
    assert set(error) == {"error", "message", "request_id"}
    assert error["error"] != "Unknown"
    assert error["message"]
    assert requests.get(f"{diamonds.url}/ping", timeout=2).status_code == 200


@pytest.mark.parametrize(
    "first",
    [COMPLETE_REQUEST, b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", b""],
    ids=["invocation", "ping", "nothing"],
)
@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_incomplete_body_of_pipelined_request(
    diamonds: Server, first: bytes, framing: bytes
) -> None:
    """3.13: the first request succeeds; the incomplete one gets status 400 without delay."""
    sent = b"0.5,Ideal"
    cut = sent if framing.startswith(b"Content") else b"9\r\n" + sent + b"\r\n"
    started = time.monotonic()
    response = diamonds.exchange(
        first + b"POST /invocations HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n" + cut
    )
    seconds = time.monotonic() - started

    assert response.count(b"HTTP/1.1 200 ") == bool(first)
    assert response.count(b"HTTP/1.1 400 ") == 1
    assert response.endswith(b"}\n")
    assert b"incomplete body" in response
    assert seconds < 10  # shorter than the timeout of a stalled body
    if framing.startswith(b"Content"):
        assert b"expected 100 bytes, got 9" in response


@pytest.mark.parametrize("target", ["http://x/ping", "http://x:8080/ping?a=b", "HTTP://x/ping"])
def test_absolute_url_as_target(diamonds: Server, target: str) -> None:
    """2.1: the request target may be an absolute URL, as RFC 9112, section 3.2.2, requires."""
    assert diamonds.exchange(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).startswith(
        b"HTTP/1.1 200 "
    )


@pytest.mark.parametrize("path", [b"/ping", b"/other"])
def test_websocket_upgrade_is_ignored(diamonds: Server, path: bytes) -> None:
    """3.10: a request to upgrade to WebSocket gets an ordinary HTTP response."""
    upgrade = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n"
    )
    head, _, body = diamonds.exchange(
        b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + upgrade
    ).partition(b"\r\n\r\n")

    assert head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
    assert head.startswith(b"HTTP/1.1 200 ") or "request_id" in strict(body.decode())


def test_payload_limit_in_bytes() -> None:
    """8.4: MAX_CONTENT_LENGTH limits bytes; SAGEMAKER_MAX_PAYLOAD_IN_MB overrides it."""
    with running(ARTIFACT, MAX_CONTENT_LENGTH="10") as server:
        assert server.post(CSV).status_code == 413
    with running(ARTIFACT, MAX_CONTENT_LENGTH="10", SAGEMAKER_MAX_PAYLOAD_IN_MB="0") as server:
        assert server.post(CSV).status_code == 200


def test_compressed_body_is_not_parsed_as_csv(diamonds: Server) -> None:
    """3.13: gzip data without Content-Encoding is rejected with status 400, as invalid UTF-8."""
    response = diamonds.post(gzip.compress(CSV.encode()))

    assert response.status_code == 400
    assert "UTF-8" in error_of(response)


def test_keep_alive_after_an_error(diamonds: Server) -> None:
    """3.13: after an error response the connection accepts further requests."""
    with requests.Session() as session:
        for body, status in ((b"x", 400), (CSV, 200), (b"y" * 100_000, 400), (CSV, 200)):
            response = session.post(
                f"{diamonds.url}/invocations",
                data=body,
                headers={"Content-Type": "text/csv"},
                timeout=5,
            )

            assert response.status_code == status
