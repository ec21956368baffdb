"""Exchange: send the bytes of a request on a connection of its own, and split the responses."""

import socket
from contextlib import suppress
from dataclasses import dataclass

TIMEOUT_SECONDS = 20.0
RECEIVED_BYTES = 1 << 16


class BadResponse(Exception):
    """The server sent something other than HTTP, or nothing in time."""


@dataclass(frozen=True, slots=True)
class Response:
    """A final response."""

    status: int
    headers: dict[str, str]
    body: bytes


def exchange(address: tuple[str, int], request: bytes) -> list[Response]:
    """Send a request, then close the sending half; return the final responses.

    Raises BadResponse.
    """
    received = b""
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
        # The server may respond, and close the connection, before it has received everything.
        with suppress(OSError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        try:
            while data := connection.recv(RECEIVED_BYTES):
                received += data
        except TimeoutError as error:
            raise BadResponse(f"no end of the response within {TIMEOUT_SECONDS:.0f} s") from error
        except ConnectionResetError:
            pass
    return split_responses(received, is_head=request.lstrip().startswith(b"HEAD "))


def split_responses(received: bytes, *, is_head: bool) -> list[Response]:
    """Return the responses, without interim ones such as 100; raises BadResponse."""
    responses: list[Response] = []
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        if not end:
            raise BadResponse(f"incomplete head: {received[:80]!r}")
        status, headers = _parse_head(head)
        if status < 200:
            received = rest
            continue
        length = int(headers.get("content-length", "0"))
        # A HEAD has no body in its response, unless the server could not parse it.
        is_bodiless = is_head and not responses and (not rest or rest.startswith(b"HTTP/1."))
        length = 0 if is_bodiless or status == 204 else length
        if len(rest) < length:
            raise BadResponse(f"status {status}: expected {length} bytes, got {len(rest)}")
        responses.append(Response(status, headers, rest[:length]))
        received = rest[length:]
    return responses


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = status_line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version not in ("HTTP/1.0", "HTTP/1.1") or not status.isdigit() or not reason:
        raise BadResponse(f"invalid status line: {status_line!r}")
    pairs = [line.partition(":") for line in lines]
    return int(status), {name.lower(): value.strip() for name, _, value in pairs}
