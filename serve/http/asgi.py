"""The fast front end: an ASGI application for pings and invocations; Flask handles the rest.

Source: the ASGI specification, HTTP connection scope, 2.4; contract 2.1 and 3.1.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIApplication

from serve.errors import AbortedStream, InvocationError
from serve.http.body import BodyReceiver, Receive, discard_body, receive_body
from serve.http.error_responses import handle_client_error, handle_server_error
from serve.http.held_bytes import Reservation
from serve.http.messages import Headers, HttpRequest, HttpResponse, echo_custom_attributes
from serve.http.responder import Responder
from serve.http.wsgi_bridge import call_wsgi
from serve.threads import ThreadPool

Scope = dict[str, Any]
EncodedHeaders = tuple[tuple[bytes, bytes], ...]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PING_METHODS = ("GET", "POST")
# Flask gets only rare and short requests, so a few threads are enough.
FLASK_THREADS = 4
CACHED_HEADERS = 256
CLOSE = (b"Connection", b"close")
# Responses that may be sent before the body has arrived.
UNREAD_STATUSES = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
HEADER_FIELDS = {
    b"content-type": "content_type",
    b"accept": "accept",
    b"content-encoding": "content_encoding",
    b"x-amzn-sagemaker-custom-attributes": "custom_attributes",
    b"x-request-id": "request_id",
}


class AsgiFrontEnd:
    """An ASGI application that handles small payloads in the event loop, others in threads."""

    def __init__(
        self,
        responder: Responder,
        flask_app: WSGIApplication,
        threads: int,
        *,
        fast_path: bool = True,
    ) -> None:
        self.fast_path = fast_path
        self._responder = responder
        self._flask_app = flask_app
        self._infer_threads = ThreadPool(threads, "infer")
        self._flask_threads = ThreadPool(FLASK_THREADS, "flask")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request; close a WebSocket at once."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        if not scope["path"].startswith("/"):
            _shorten_target(scope)
        request = _read_request(scope)
        try:
            await self._handle(request, scope, BodyReceiver(receive), send)
        finally:
            if request.reservation:
                request.reservation.release()

    async def _handle(
        self, request: HttpRequest, scope: Scope, receive: BodyReceiver, send: Send
    ) -> None:
        try:
            response = await self._respond(request, scope, receive)
        except asyncio.CancelledError:
            request.caller.leave()
            raise
        except InvocationError as error:
            response = handle_client_error(request, error)
        except Exception as error:  # noqa: BLE001  # a bug is a 500
            response = handle_server_error(request, error)
        if response.chunks is None:
            if request.reservation:
                request.reservation.release_payload(response.content_length)
            await _send(response, send, close=request.awaits_continue)
            if response.status in UNREAD_STATUSES and not request.awaits_continue:
                await discard_body(receive)
        else:
            await self._stream(request, response, response.chunks, send)

    def respond_at_once(self, request: HttpRequest, body: bytes) -> HttpResponse | None:
        """Return the response to a ping or an invocation; None if it would take some time."""
        if request.path == "/ping":
            return _respond_to_ping(request)
        if not body or not self._responder.should_run_inline(request, body):
            return None
        try:
            return self._responder.respond(request, body)
        except InvocationError as error:
            return handle_client_error(request, error)
        except Exception as error:  # noqa: BLE001  # a bug is a 500
            return handle_server_error(request, error)

    async def _respond(self, request: HttpRequest, scope: Scope, receive: Receive) -> HttpResponse:
        if request.path == "/ping" and request.method in PING_METHODS:
            return _respond_to_ping(request)
        reservation = self._responder.reserve(request)
        return await self._respond_to_body(request, scope, receive, reservation)

    async def _respond_to_body(
        self, request: HttpRequest, scope: Scope, receive: Receive, reservation: Reservation
    ) -> HttpResponse:
        max_bytes = self._responder.max_payload_bytes
        body = await receive_body(receive, request.payload_bytes, max_bytes, reservation)
        run_in_executor = asyncio.get_running_loop().run_in_executor
        if request.path != "/invocations" or request.method != "POST":
            return await run_in_executor(
                self._flask_threads, call_wsgi, self._flask_app, scope, body
            )
        if self._responder.should_run_inline(request, body):
            return self._responder.respond(request, body)
        with self._responder.in_flight:
            return await run_in_executor(
                self._infer_threads, self._responder.respond, request, body
            )

    async def _stream(
        self, request: HttpRequest, response: HttpResponse, chunks: Iterator[bytes], send: Send
    ) -> None:
        """Send a response in chunks; a thread computes each chunk once the previous one is sent.

        gunicorn cancels this coroutine if the client disconnects. The final message of an aborted
        stream is not sent, so gunicorn closes the connection.
        """
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": list(_encode_headers(response.headers)),
            }
        )
        run_in_executor = asyncio.get_running_loop().run_in_executor
        try:
            while True:
                chunk = await run_in_executor(self._infer_threads, next, chunks, None)
                if chunk is None:
                    break
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except AbortedStream:
            return
        except asyncio.CancelledError:
            request.caller.leave()
            raise
        await send({"type": "http.response.body", "body": b""})


def _respond_to_ping(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, echo_custom_attributes(request))


def _shorten_target(scope: Scope) -> None:
    """Reduce an absolute URL to its path.

    Clients of a proxy send the whole URL, which every server must accept (RFC 9112, 3.2.2).
    """
    path = urlsplit(scope["raw_path"].decode("latin-1")).path or "/"
    scope["raw_path"], scope["path"] = path.encode("latin-1"), unquote(path)


def _read_request(scope: Scope) -> HttpRequest:
    """Return the request in a scope; as in Flask, commas join the values of repeated headers."""
    request = HttpRequest(
        scope["method"], scope["path"], accepts_chunked=scope["http_version"] != "1.0"
    )
    for name, value in scope["headers"]:
        if field := HEADER_FIELDS.get(name):
            previous: str | None = getattr(request, field)
            text = value.decode("latin-1")
            setattr(request, field, text if previous is None else f"{previous},{text}")
        elif name == b"content-length":
            request.payload_bytes = int(value)
        elif name == b"expect":  # the HTTP parser rejects all but 100-continue
            request.awaits_continue = request.accepts_chunked
    return request


def _encode_headers(headers: Headers) -> EncodedHeaders:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)


# Not for errors, whose headers contain an ID.
_encode_headers_cached = lru_cache(CACHED_HEADERS)(_encode_headers)


async def _send(response: HttpResponse, send: Send, *, close: bool) -> None:
    is_error = response.status >= HTTPStatus.BAD_REQUEST
    encode = _encode_headers if is_error else _encode_headers_cached
    content_length = (b"Content-Length", b"%d" % response.content_length)
    connection = (CLOSE,) if close else ()
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [*encode(response.headers), content_length, *connection],
        }
    )
    while response.pieces:
        piece = response.pieces.popleft()
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": response.body})
