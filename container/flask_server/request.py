"""gunicorn's parser of WSGI requests, with the project's checks of the head."""

from typing import Any

from gunicorn.http.message import Request

from container.flask_server.paced_socket import PacedSocket
from container.request_head import CHECKED_HEADERS, check_head
from serve.http.caller import INTERIM_RESPONSE

CHECKED = {name.upper(): name for name in CHECKED_HEADERS}


class CheckedRequest(Request):
    """A request whose parser raises InvalidHead for the heads that ``check_head`` rejects.

    A client that waits for status 100 gets it when the application reads the body. gunicorn itself
    sends it before the application can reject the request.
    """

    _expected_100_continue: bool

    def parse(self, unreader: Any) -> bytes:
        try:
            unused: bytes = super().parse(unreader)
        finally:
            if isinstance(unreader.sock, PacedSocket):
                unreader.sock.method = self.method  # also of a request with an invalid header
        headers = [(CHECKED[name], value) for name, value in self.headers if name in CHECKED]
        check_head(self.version, self.uri, headers)
        return unused

    def set_body_reader(self) -> None:
        super().set_body_reader()
        if self._expected_100_continue:
            self._expected_100_continue = False
            self.body.reader = _AwaitedReader(self, self.body.reader)


class _AwaitedReader:
    """The reader of a body that the client does not send before it has got status 100.

    If the application responds without reading the body, the connection closes, because nobody
    knows whether the client will send it (RFC 9110, section 10.1.1).
    """

    def __init__(self, request: CheckedRequest, reader: Any) -> None:
        self._request = request
        self._reader = reader
        self._must_close = request.must_close
        self._is_awaited = request.must_close = True

    def read(self, size: int) -> bytes:
        if self._is_awaited:
            self._is_awaited = False
            self._request.must_close = self._must_close
            self._request.unreader.sock.sendall(INTERIM_RESPONSE)
        data: bytes = self._reader.read(size)
        return data
