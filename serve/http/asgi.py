"""Lean: the front end that answers pings and invocations by itself, as an ASGI application, and hands every other request to Flask.

Source: the ASGI specification, HTTP connection scope, 2.4; contract 2.1 and 3.1.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

from serve.errors import AbortedStream, InvocationError
from serve.http.body import receive_body
from serve.http.messages import (
    Headers,
    HttpRequest,
    HttpResponse,
    client_error,
    echoed_attributes,
    server_error,
)
from serve.http.responder import Responder
from serve.http.wsgi_bridge import call_wsgi

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PING_METHODS = ("GET", "POST")
# What is not hot is short, so a few threads do for Flask.
FLASK_THREADS = 4
KEPT_HEADERS = 256
FIELDS = {
    b"content-type": "content_type",
    b"accept": "accept",
    b"content-encoding": "content_encoding",
    b"x-amzn-sagemaker-custom-attributes": "custom_attributes",
}


class AsgiFrontEnd:
    """An ASGI application: momentary payloads are answered in the event loop, all others by threads."""

    def __init__(self, invocations: Responder, flask: WSGIApplication, threads: int) -> None:
        self._invocations = invocations
        self._flask = flask
        self._infer_threads = ThreadPoolExecutor(threads, "infer")
        self._flask_threads = ThreadPoolExecutor(FLASK_THREADS, "flask")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HttpResponse one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        if not scope["path"].startswith(
            "/"
        ):  # the whole URL, as one asks a proxy, and any server must understand (RFC 9112, 3.2.2)
            scope["path"] = urlsplit(scope["path"]).path or "/"
        asked = _asked_by(scope)
        try:
            answer = await self._answer(asked, scope, receive)
        except InvocationError as error:
            answer = client_error(asked, error)
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller gets its line of JSON and the log the rest
            answer = server_error(asked, error)
        if answer.pieces is None:
            await _send(answer, send)
        else:
            await self._stream(answer, answer.pieces, send)

    async def _answer(self, asked: HttpRequest, scope: Scope, receive: Receive) -> HttpResponse:
        if asked.path == "/ping" and asked.method in PING_METHODS:
            return HttpResponse(200, echoed_attributes(asked))
        payload = await receive_body(receive, asked.payload_bytes, self._invocations.most_bytes)
        run = asyncio.get_running_loop().run_in_executor
        if asked.path != "/invocations" or asked.method != "POST":
            return await run(self._flask_threads, call_wsgi, self._flask, scope, payload)
        if self._invocations.momentary(asked, payload):
            return self._invocations.answer(asked, payload)
        with self._invocations.queue:
            return await run(self._infer_threads, self._invocations.answer, asked, payload)

    async def _stream(self, answer: HttpResponse, pieces: Iterator[bytes], send: Send) -> None:
        """Send a reply in pieces, each made by a thread once the caller took those before it.

        A caller that is gone ends this by gunicorn's cancelling it. Where no piece follows although the reply is not whole, its
        end is not sent, and gunicorn closes the connection.
        """
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": list(_encoded(answer.headers)),
            }
        )
        run = asyncio.get_running_loop().run_in_executor
        try:
            while (piece := await run(self._infer_threads, next, pieces, None)) is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except AbortedStream:
            return
        await send({"type": "http.response.body", "body": b""})


def _asked_by(scope: Scope) -> HttpRequest:
    """Return what a request of ASGI's asks for; a header that came several times counts as one with commas, as Flask has it."""
    asked = HttpRequest(scope["method"], scope["path"], takes_chunks=scope["http_version"] != "1.0")
    for name, value in scope["headers"]:
        if field := FIELDS.get(name):
            before: str | None = getattr(asked, field)
            text = value.decode("latin-1")
            setattr(asked, field, text if before is None else f"{before},{text}")
        elif name == b"content-length":
            asked.payload_bytes = int(value)
    return asked


@lru_cache(KEPT_HEADERS)
def _encoded(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)


async def _send(answer: HttpResponse, send: Send) -> None:
    headers = [*_encoded(answer.headers), (b"Content-Length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
