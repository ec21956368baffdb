"""An endpoint over plain HTTP: POST to its /invocations, with requests."""

import time
from dataclasses import replace
from urllib.parse import urlsplit

import requests

from local_test.app.endpoint import (
    EndpointTimeout,
    EndpointUnreachable,
    Exchange,
    InvalidResponse,
    accepted,
)

CONNECT_SECONDS = 5.0
MAX_REPLY_BYTES = 64 << 20
SLICE_BYTES = 1 << 16


class HttpEndpoint:
    """An endpoint that answers at ``url``/invocations."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self.place = f"{url.rstrip('/')}/invocations"
        self._timeout_seconds = timeout_seconds

    def invoke(self, payload: bytes, content_type: str, accept: str) -> Exchange:
        """Send a payload, and return the exchange, whose status is 200; raises EndpointError."""
        # Host and Accept-Encoding are said here, so that no library adds a header after the exchange was written down.
        headers = {
            "Host": urlsplit(self.place).netloc,
            "User-Agent": "xgb-endpoint-app",
            "Accept": accept,
            "Accept-Encoding": "identity",
            "Content-Type": content_type,
        }
        request = requests.Request("POST", self.place, headers, data=payload).prepare()
        exchange = Exchange("POST", self.place, tuple(request.headers.items()), payload)
        try:
            return accepted(self._sent(request, exchange))
        except requests.Timeout as error:
            raise self._too_slow(exchange) from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise InvalidResponse("The reply broke off before its end.", exchange) from error
        except requests.RequestException as error:
            raise EndpointUnreachable(
                f"Nothing answers at {self.place}. Is it running? “make serve” starts one.",
                exchange,
            ) from error

    def _sent(self, request: requests.PreparedRequest, exchange: Exchange) -> Exchange:
        deadline = time.monotonic() + self._timeout_seconds
        with requests.Session() as session:
            # Neither a proxy nor a password of this machine has a place between the application and its endpoint.
            session.trust_env = False
            timeouts = (min(CONNECT_SECONDS, self._timeout_seconds), self._timeout_seconds)
            response = session.send(request, stream=True, timeout=timeouts, allow_redirects=False)
            with response:
                body = self._body(response, exchange, deadline)
        return replace(
            exchange,
            status=response.status_code,
            reason=response.reason or "",
            response_headers=tuple(response.headers.items()),
            response_body=body,
        )

    def _body(self, response: requests.Response, exchange: Exchange, deadline: float) -> bytes:
        body = bytearray()
        try:
            for part in response.iter_content(SLICE_BYTES):
                body += part
                if len(body) > MAX_REPLY_BYTES:
                    raise InvalidResponse(
                        f"The reply is longer than {MAX_REPLY_BYTES >> 20} MiB.", exchange
                    )
                if time.monotonic() > deadline:
                    raise self._too_slow(exchange)
        except requests.ConnectionError as error:  # what requests calls a body that stalls
            raise self._too_slow(exchange) from error
        return bytes(body)

    def _too_slow(self, exchange: Exchange) -> EndpointTimeout:
        return EndpointTimeout(
            f"No reply from {self.place} within {self._timeout_seconds:g} seconds. Try again, or look at its log.",
            exchange,
        )
