"""An endpoint whose response a test chooses, and which keeps every request that it receives."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_STALL_SECONDS = 30


@dataclass
class ScriptedEndpoint:
    """The response to send, and the requests received.

    ``heads`` holds the request line and the headers of each request, ``bodies`` its payload.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    heads: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def respond_as(self, other: "ScriptedEndpoint") -> None:
        """Send the response of another endpoint from now on."""
        self.status, self.body, self.headers = other.status, other.body, other.headers


def error_response(status: int, message: str) -> ScriptedEndpoint:
    """Return an endpoint that responds with an error, as the container does."""
    body = json.dumps({"error": "ScriptedError", "message": message})
    return ScriptedEndpoint(status, body.encode())


@contextmanager
def running_endpoint(
    endpoint: ScriptedEndpoint, *, stalls: bool = False
) -> Iterator[ScriptedEndpoint]:
    """Serve on a free loopback port until the block ends.

    An endpoint that stalls keeps the connection open: before the status line if it has no body,
    otherwise after its body.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            endpoint.heads.append((self.requestline, list(self.headers.items())))
            endpoint.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            if stalls and not endpoint.body:
                endpoint.stopped.wait(MAX_STALL_SECONDS)
                return
            self.send_response(endpoint.status)
            headers = {"Content-Length": str(len(endpoint.body)), **endpoint.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(endpoint.body)
            if stalls:
                endpoint.stopped.wait(MAX_STALL_SECONDS)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.stopped.set()
            server.shutdown()
            thread.join()
