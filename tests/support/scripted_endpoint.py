"""An endpoint that answers as a test says, and keeps each request as it came over the wire."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ScriptedEndpoint:
    """What it answers, and the heads (request line and headers) and bodies that came."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)
    heads: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def respond_as(self, other: "ScriptedEndpoint") -> None:
        """Answer from now on as another one would."""
        self.status, self.body, self.headers = other.status, other.body, other.headers


def error_response(status: int, message: str) -> ScriptedEndpoint:
    """Return an endpoint that answers an error as the container does."""
    return ScriptedEndpoint(status, json.dumps({"error": "Refused", "message": message}).encode())


@contextmanager
def running_endpoint(
    endpoint: ScriptedEndpoint, *, silent: bool = False
) -> Iterator[ScriptedEndpoint]:
    """Answer on a free port of the loopback; a silent one keeps its callers waiting, after its body if it has one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            endpoint.heads.append((self.requestline, list(self.headers.items())))
            endpoint.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            if silent and not endpoint.body:
                endpoint.released.wait(30)
                return
            self.send_response(endpoint.status)
            for name, value in {
                "Content-Length": str(len(endpoint.body)),
                **endpoint.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(endpoint.body)
            if silent:
                endpoint.released.wait(30)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.released.set()
            server.shutdown()
            thread.join()
