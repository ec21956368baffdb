"""Request IDs, by which a response is found in the log."""

import asyncio
from dataclasses import replace
from typing import Any, NoReturn

import pytest
import requests
from flask import Flask

from serve.app import build_app
from serve.http.asgi import AsgiFrontEnd
from serve.http.responder import Responder
from serve.model.model import load_model
from serve.parallel import ParallelMap
from serve.settings import Settings
from tests.support.diamonds import ARTIFACT, CSV
from tests.support.responses import error_of, strict
from tests.support.server import Server, running

HEADER = "X-Request-Id"
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nX-Request-Id: from-client\r\n"
RAW_REQUESTS = {
    "nonsense": b"NONSENSE\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "long header": HEAD + b"X: " + b"a" * 9000 + b"\r\n\r\n",
    "invalid chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n0.5,\r\nzz\r\n",
    "missing chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\n0.5,\r\n",
    "short body": HEAD + b"Content-Length: 100\r\n\r\n0.5",
}
LARGE = CSV * 8_000


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """Return the ID in each response of a server, and the events of its log."""
    with running(
        ARTIFACT,
        SAGEMAKER_CONTAINER_LOG_LEVEL="DEBUG",
        SAGEMAKER_MAX_PAYLOAD_IN_MB="1",
        SERVE_ROW_ERRORS="true",
    ) as server:
        url = f"{server.url}/invocations"
        responses = {
            "400": server.post("1,2", Accept="application/json"),
            "404": requests.get(f"{server.url}/predict", timeout=5),
            "405": requests.put(url, timeout=5),
            "406": server.post(CSV, Accept="image/png"),
            "413": server.post(CSV * 5_000),
            "415": server.post(CSV, "image/png"),
        }
        ids = {name: get_id(response) for name, response in responses.items()}
        ids |= {name: get_raw_id(server, request) for name, request in RAW_REQUESTS.items()}
        bad_rows, good_rows = server.post(CSV + "bad\n"), server.post(CSV)
        ids["bad rows"] = bad_rows.headers[HEADER]
    assert [response.status_code for response in (bad_rows, good_rows)] == [200, 200]
    assert HEADER not in good_rows.headers
    return {"ids": ids, "events": server.events()}


@pytest.mark.parametrize(
    "name", ["400", "404", "405", "406", "413", "415", *RAW_REQUESTS, "bad rows"]
)
def test_id_of_response_is_in_the_log(answers: dict[str, Any], name: str) -> None:
    """3.10 and 10.1: exactly one event of the log has the ID in the response to a bad request."""
    request_id = answers["ids"][name]
    events = [event for event in answers["events"] if event.get("request_id") == request_id]

    if name in ("missing chunk", "short body", "invalid chunk"):  # read as HTTP, up to the body
        assert request_id == "from-client"
        assert [event["status"] for event in events] == [400] * 3
    elif name == "bad rows":
        assert {event["event"] for event in events} == {"row errors", "request succeeded"}
    else:
        assert len(request_id) == 32
        [event] = events
        assert event.get("status", name) in (name, int(name) if name.isdecimal() else None)


@pytest.mark.parametrize(
    ("sent", "adopted"),
    [
        ("7b0d2c2e-7f4f-4f43-8b5a-3f0a2d0c1c11", True),
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("a", True),
        ("x" * 128, True),
        ('"}<&\\', True),
        ("x" * 129, False),
        ("", False),
        ("a b", False),
        ("caf\xe9", False),
        ("a\tb", False),
    ],
)
def test_clients_own_id(diamonds: Server, sent: str, *, adopted: bool) -> None:
    """3.10: a valid X-Request-Id of the client is the ID of its request; another is replaced."""
    # Without this length, the line would exceed what SageMaker forwards.
    response = diamonds.post('"' * 3000, X_Request_Id=sent.encode("latin-1"))  # type: ignore[arg-type]
    request_id = get_id(response)

    assert (request_id == sent) is adopted
    if not adopted:
        assert len(request_id) == 32
        assert set(request_id) <= set("0123456789abcdef")


def test_stream_has_id() -> None:
    """7.14 and 10.1: a streamed response has the ID under which the log reports its end."""
    headers = {"Content-Type": "text/csv", "Accept": "text/csv; stream=true"}
    with (
        running(ARTIFACT) as server,
        requests.post(
            f"{server.url}/invocations",
            data=LARGE + "bad\n",
            headers=headers,
            timeout=60,
            stream=True,
        ) as response,
        pytest.raises(requests.exceptions.ChunkedEncodingError),
    ):
        list(response.iter_content(1 << 20))
    [aborted] = [event for event in server.events() if event["event"] == "stream aborted"]

    assert response.status_code == 200
    assert aborted["request_id"] == response.headers[HEADER]


def test_bug_is_reported_by_id_alone(front_end: str, caplog: pytest.LogCaptureFixture) -> None:
    """3.10: the response to a bug is status 500 with the ID of the logged traceback, no details."""
    headers = {"Content-Type": "text/csv", HEADER: "from-client"}
    if front_end == "asgi":
        status, response_headers, body = asyncio.run(call_asgi(headers))
    else:
        response = build_flask_app().test_client().post("/invocations", data=CSV, headers=headers)
        status, body = response.status_code, response.data
        response_headers = dict(response.headers)
    error = strict(body.decode())
    [record] = caplog.records

    assert status == 500
    assert response_headers[HEADER] == error["request_id"] == "from-client"
    assert error["error"] == "InternalError"
    assert "see request from-client in the server log" in error["message"]
    assert b"secret" not in body
    assert record.__dict__["fields"]["request_id"] == "from-client"
    assert "secret" in caplog.text


def build_responder() -> Responder:
    """Return a responder whose model fails at each prediction."""

    def fail(_features: object) -> NoReturn:
        raise RuntimeError("secret")

    settings = Settings(model_folder=ARTIFACT)
    model = replace(load_model(settings), predictor=fail)
    return Responder(model, settings, ParallelMap())


def build_flask_app() -> Flask:
    return build_app(build_responder(), {})


async def call_asgi(headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body of the ASGI front end's response to an invocation."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/invocations",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    start: list[dict[str, Any]] = []
    end: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": CSV.encode(), "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        (start if message["type"] == "http.response.start" else end).append(message)

    await AsgiFrontEnd(build_responder(), build_flask_app(), 1)(scope, receive, send)
    response_headers = {name.decode(): value.decode() for name, value in start[0]["headers"]}
    return start[0]["status"], response_headers, end[0]["body"]


def get_id(response: requests.Response) -> str:
    error_of(response)  # its ID is that of the header
    request_id: str = response.json()["request_id"]
    return request_id


def get_raw_id(server: Server, request: bytes) -> str:
    """Send a request; return the ID in the header and the body of the response."""
    head, _, body = server.exchange(request).decode().partition("\r\n\r\n")
    request_id: str = strict(body)["request_id"]
    assert f"\r\nX-Request-Id: {request_id}\r\n" in f"{head}\r\n"
    return request_id
