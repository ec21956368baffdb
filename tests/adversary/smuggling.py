"""Send requests whose end two programs may see at different bytes, directly and through nginx.

Each hides a second request. Directly, it must not get a response of its own after an ambiguous
head; through nginx, the next client must get its own response. Exit code 1 means that one did not.
"""

import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from tests.adversary.heads.exchange import BadResponse, exchange
from tests.adversary.numbered import COUNT, Numbered, numbered_artifact
from tests.adversary.options import build_parser
from tests.support.server import Server, free_port, running

FRONT_ENDS = ("asgi", "flask")
MAX_FINDINGS = 20
START_SECONDS = 10.0
START = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
HIDDEN = START + b"Content-Length: 2\r\n\r\n1\n"
# The headers of the first request, and its body before the hidden request.
AMBIGUOUS: dict[str, tuple[bytes, bytes]] = {
    "length and chunks": (b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "chunks and length": (b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"0\r\n\r\n"),
    "two lengths": (b"Content-Length: 2\r\nContent-Length: 0", b"1\n"),
    "lengths in a list": (b"Content-Length: 2, 0", b"1\n"),
    "signed length": (b"Content-Length: +2", b"1\n"),
    "negative length": (b"Content-Length: -2", b""),
    "length in other digits": ("Content-Length: \u0662".encode(), b"1\n"),
    "hexadecimal length": (b"Content-Length: 0x2", b"1\n"),
    "length with an underscore": (b"Content-Length: 0_2", b"1\n"),
    "blank before the colon": (b"Content-Length : 2", b"1\n"),
    "folded length": (b"Content-Length:\r\n 2", b"1\n"),
    "folded header": (b"X-A: 1\r\n Content-Length: 2", b"1\n"),
    "bare line feed": (b"X-A: 1\nContent-Length: 2", b"1\n"),
    "bare carriage return": (b"X-A: 1\rContent-Length: 2", b"1\n"),
    "null in a value": (b"X-A: \0\r\nContent-Length: 0", b""),
    "unknown coding": (b"Transfer-Encoding: xchunked", b"0\r\n\r\n"),
    "coding after chunked": (b"Transfer-Encoding: chunked, identity", b"0\r\n\r\n"),
    "chunked twice": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "coding with a tab": (b"Transfer-Encoding: \x0bchunked", b"0\r\n\r\n"),
    "coding in quotes": (b'Transfer-Encoding: "chunked"', b"0\r\n\r\n"),
    "signed chunk": (b"Transfer-Encoding: chunked", b"+2\r\n1\n\r\n0\r\n\r\n"),
    "chunk with 0x": (b"Transfer-Encoding: chunked", b"0x2\r\n1\n\r\n0\r\n\r\n"),
    "chunk of line feeds": (b"Transfer-Encoding: chunked", b"2\n1\n\n0\n\n"),
    "chunk too long": (b"Transfer-Encoding: chunked", b"2\r\n1\nX\r\n0\r\n\r\n"),
    "huge chunk": (b"Transfer-Encoding: chunked", b"fffffffffffffffff\r\n1\n\r\n0\r\n\r\n"),
}
NGINX = """
daemon off; error_log {folder}/error.log; pid {folder}/pid; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream server {{ server 127.0.0.1:{upstream}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port};
        ignore_invalid_headers off; underscores_in_headers on;
        location / {{
            proxy_pass http://server; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_request_buffering off;
        }}
    }}
}}
"""


def main() -> int:
    """Repeat the table until the time is up; return 1 if there are findings."""
    options = build_parser("smuggling", __doc__).parse_args()
    random_ = random.Random(options.seed)
    statuses: Counter[int] = Counter()
    findings: list[str] = []
    with ExitStack() as stack:
        model = stack.enter_context(numbered_artifact())
        servers = {}
        for front_end in FRONT_ENDS:
            env = {"SERVE_FRONTEND": front_end, "SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}
            server = stack.enter_context(running(model.folder, **env))
            servers[front_end] = (server, stack.enter_context(_nginx(server)))
        deadline = time.monotonic() + options.seconds
        is_first = True
        while is_first or time.monotonic() < deadline:
            is_first = False
            for name in random_.sample(list(AMBIGUOUS), len(AMBIGUOUS)):
                for front_end, (server, proxy) in servers.items():
                    row = random_.randrange(2, COUNT)
                    problem = _attack(name, server, proxy, (model, row), statuses)
                    if problem and len(findings) < MAX_FINDINGS:
                        findings.append(f"{name}, {front_end}: {problem}")
    table = ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))
    through = "and through nginx" if shutil.which("nginx") else "only; nginx is not installed"
    print(f"smuggling, directly {through}: {statuses.total():,} responses ({table}), "
          f"{len(findings)} findings")  # fmt: skip
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


def _attack(
    name: str,
    server: Server,
    proxy: Server | None,
    victim: tuple[Numbered, int],
    statuses: Counter[int],
) -> str | None:
    """Send one request of the table; return what is wrong, or None."""
    headers, body = AMBIGUOUS[name]
    sent = START + headers + b"\r\n\r\n" + body + HIDDEN
    try:
        responses = exchange(server.address, sent)
    except (BadResponse, OSError) as error:
        return f"directly: {error}"
    statuses.update(response.status for response in responses)
    if len(responses) != 1 or not 400 <= responses[0].status < 502:
        return f"directly: {[response.status for response in responses]}"
    if proxy:
        _send(proxy, sent)
        return _find_mixed(proxy, *victim)
    return None


def _send(proxy: Server, sent: bytes) -> None:
    """Send bytes through the proxy, which may reject them in any way."""
    try:
        exchange(proxy.address, sent)
    except (BadResponse, OSError):
        return


def _find_mixed(proxy: Server, model: Numbered, row: int) -> str | None:
    """Return the difference if the next client gets another response than its own, or None."""
    response = requests.post(
        f"{proxy.url}/invocations", f"{row}\n", headers={"Content-Type": "text/csv"}, timeout=30
    )
    expected = model.predictions[row]
    if response.status_code != 200 or float(response.text) != float(f"{expected}"):
        return f"the next client sent {row}, got {response.status_code} {response.text[:80]!r}"
    return None


@contextmanager
def _nginx(server: Server) -> Iterator[Server | None]:
    """Run nginx in front of a server, with one connection to it; yield None if it is missing."""
    program = shutil.which("nginx")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        configuration = Path(folder, "nginx.conf")
        text = NGINX.format(folder=folder, port=port, upstream=server.address[1])
        configuration.write_text(text, encoding="utf-8")
        process = subprocess.Popen(
            [program, "-p", folder, "-c", configuration], stderr=subprocess.DEVNULL
        )
        try:
            _wait(port)
            yield Server(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait()


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx did not start")


if __name__ == "__main__":
    sys.exit(main())
