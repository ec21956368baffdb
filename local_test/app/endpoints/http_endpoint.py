"""Invoke an endpoint over plain HTTP, by POST to its /invocations route."""

import time
from dataclasses import replace
from urllib.parse import urlsplit

import requests

from local_test.app.endpoints.endpoint import (
    EndpointTimeout,
    EndpointUnreachable,
    Exchange,
    InvalidResponse,
    check_status,
)

CONNECT_TIMEOUT_SECONDS = 5.0
MAX_RESPONSE_BYTES = 64 << 20
CHUNK_BYTES = 1 << 16


class HttpEndpoint:
    """An endpoint that serves POST ``url``/invocations."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self.address = f"{url.rstrip('/')}/invocations"
        self._timeout_seconds = timeout_seconds

    def invoke(self, payload: bytes, content_type: str, accept: str) -> Exchange:
        """Send a payload and return the exchange, whose status is 200; raises EndpointError."""
        # Host and Accept-Encoding are set here because the libraries below would add them later,
        # and the page would not show them.
        headers = {
            "Host": urlsplit(self.address).netloc,
            "User-Agent": "xgb-endpoint-app",
            "Accept": accept,
            "Accept-Encoding": "identity",
            "Content-Type": content_type,
        }
        request = requests.Request("POST", self.address, headers, data=payload).prepare()
        exchange = Exchange("POST", self.address, tuple(request.headers.items()), payload)
        try:
            return check_status(self._send(request, exchange))
        except requests.Timeout as error:
            raise self._timeout_error(exchange) from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise InvalidResponse(
                "The connection closed before the response was complete.", exchange
            ) from error
        except requests.RequestException as error:
            raise EndpointUnreachable(
                f"Cannot connect to {self.address}. Is it running? “make serve” starts one.",
                exchange,
            ) from error

    def _send(self, request: requests.PreparedRequest, exchange: Exchange) -> Exchange:
        deadline = time.monotonic() + self._timeout_seconds
        with requests.Session() as session:
            # Ignore this machine's proxy settings and .netrc: the request goes straight there.
            session.trust_env = False
            timeouts = (min(CONNECT_TIMEOUT_SECONDS, self._timeout_seconds), self._timeout_seconds)
            response = session.send(request, stream=True, timeout=timeouts, allow_redirects=False)
            with response:
                body = self._read_body(response, exchange, deadline)
        return replace(
            exchange,
            status=response.status_code,
            reason=response.reason or "",
            response_headers=tuple(response.headers.items()),
            response_body=body,
        )

    def _read_body(self, response: requests.Response, exchange: Exchange, deadline: float) -> bytes:
        body = bytearray()
        try:
            for chunk in response.iter_content(CHUNK_BYTES):
                body += chunk
                if len(body) > MAX_RESPONSE_BYTES:
                    raise InvalidResponse(
                        f"The response is larger than {MAX_RESPONSE_BYTES >> 20} MiB.", exchange
                    )
                if time.monotonic() > deadline:
                    raise self._timeout_error(exchange)
        except requests.ConnectionError as error:  # requests raises this if the body stalls
            raise self._timeout_error(exchange) from error
        return bytes(body)

    def _timeout_error(self, exchange: Exchange) -> EndpointTimeout:
        return EndpointTimeout(
            f"{self.address} did not respond within {self._timeout_seconds:g} seconds. "
            "Try again, or look at its log.",
            exchange,
        )
