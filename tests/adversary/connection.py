"""Connection: send requests over one kept-alive socket, many times as fast as `requests` does."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

from tests.adversary.payloads import Payload

TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; ``complete`` is False if the connection closed within the body."""

    status: int
    content_type: str
    body: bytes
    complete: bool = True


class NoReply(Exception):
    """The server closed the connection without a response, or the response is not HTTP."""


class Connection:
    """A connection to a server, opened again after the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._socket: socket.socket | None = None
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._file:
            self._file.close()
        if self._socket:
            self._socket.close()
        self._file = self._socket = None

    def send(self, payload: Payload) -> None:
        """Send a request; its response must be received before the next request."""
        headers = {**payload.headers(), "Host": "test", "Content-Length": str(len(payload.body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST /invocations HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
        if self._socket is None:
            self._socket = socket.create_connection(self._address, TIMEOUT_SECONDS)
            self._file = self._socket.makefile("rb")
        # The server may reject a request before it has read the body.
        with suppress(OSError):
            self._socket.sendall(head + payload.body)

    def receive(self) -> Reply:
        """Return the response to the last request; raises NoReply."""
        try:
            return self._read_reply()
        except (OSError, ValueError) as error:
            self.close()
            raise NoReply(f"{type(error).__name__}: {error}") from error

    def _read_reply(self) -> Reply:
        assert self._file
        status = int(self._file.readline().split(None, 2)[1:2][0])
        headers = self._read_headers()
        if "chunked" in headers.get("transfer-encoding", ""):
            body, complete = self._read_chunks()
        else:
            length = int(headers.get("content-length", "0"))
            body = self._file.read(length)
            complete = len(body) == length
        if not complete or headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, headers.get("content-type", ""), body, complete)

    def _read_headers(self) -> dict[str, str]:
        assert self._file
        headers = {}
        while (line := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return headers

    def _read_chunks(self) -> tuple[bytes, bool]:
        """Return the body, and whether its last chunk has arrived."""
        assert self._file
        chunks: list[bytes] = []
        while line := self._file.readline():
            length = int(line.split(b";")[0], 16)
            chunk = self._file.read(length + 2)
            if len(chunk) < length + 2:
                break
            if not length:
                return b"".join(chunks), True
            chunks.append(chunk[:-2])
        return b"".join(chunks), False
