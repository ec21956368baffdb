"""Compare a server with the fast path to one without: their responses must be equal.

Only Date and new request IDs may differ. A session is reproduced by its seed and index alone. Exit
code 1 means that there are findings.
"""

import argparse
import re
import socket
import sys
import time
from contextlib import suppress
from itertools import count

from tests.adversary.heads.exchange import RECEIVED_BYTES, TIMEOUT_SECONDS
from tests.adversary.heads.sessions import generate_session
from tests.adversary.options import build_parser
from tests.support.diamonds import ARTIFACT
from tests.support.server import Server, running

# The order of the methods in Flask's header Allow depends on Python's hash seed.
SETTINGS = {
    "SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR",
    "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
    "PYTHONHASHSEED": "0",
}
MAX_FINDINGS = 20
# Long enough for the server to read each segment on its own, if it is idle.
PAUSE_SECONDS = 0.0003
# What a client receives also depends on time: a server may respond before it has the whole body,
# and a client loses some of the response if the server closes the connection meanwhile.
ATTEMPTS = 4
INTERIM_RESPONSE = b"HTTP/1.1 100 Continue\r\n\r\n"
DATE = re.compile(rb"\r\nDate: [^\r]*")
NEW_ID = re.compile(rb"\b[0-9a-f]{32}\b")


def main() -> int:
    """Send the sessions that the command line asks for; return 1 if there are findings."""
    options = _parse_options()
    findings: list[str] = []
    sessions = 0
    indices = count() if options.index is None else iter([options.index])
    with (
        running(ARTIFACT, SERVE_FAST_PATH="on", **SETTINGS) as fast,
        running(ARTIFACT, SERVE_FAST_PATH="off", **SETTINGS) as slow,
    ):
        deadline = time.monotonic() + options.seconds
        for index in indices:
            if time.monotonic() > deadline or len(findings) == MAX_FINDINGS:
                break
            segments = generate_session(options.seed, index)
            if problem := compare(fast, slow, segments):
                findings.append(f"index {index}: {problem}")
            sessions += 1
    _report(sessions, findings, options.seed)
    return 1 if findings else 0


def compare(fast: Server, slow: Server, segments: list[bytes]) -> str | None:
    """Return how the responses of two servers differ in all attempts, or None."""
    seen: tuple[set[bytes], set[bytes]] = (set(), set())
    for _ in range(ATTEMPTS):
        for received, server in zip(seen, (fast, slow), strict=True):
            received.add(exchange_segments(server.address, segments))
        if seen[0] & seen[1]:
            return None
    return f"{min(seen[0])[:400]!r} instead of {min(seen[1])[:400]!r}"


def exchange_segments(address: tuple[str, int], segments: list[bytes]) -> bytes:
    """Return the responses on a connection, without interim ones, dates and new IDs."""
    received = b""
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection, suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):
            for segment in segments:
                connection.sendall(segment)
                time.sleep(PAUSE_SECONDS)
            connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(RECEIVED_BYTES):
            received += data
    return NEW_ID.sub(b"ID", DATE.sub(b"", received.replace(INTERIM_RESPONSE, b"")))


def _report(sessions: int, findings: list[str], seed: int) -> None:
    print(f"fast path: {sessions:,} sessions, {len(findings)} findings")
    for finding in findings:
        print(f"  {finding}")
    if findings:
        print(f"reproduce: python -m tests.adversary.heads.fast_path --seed {seed} --index INDEX")


def _parse_options() -> argparse.Namespace:
    parser = build_parser("heads.fast_path", __doc__)
    parser.add_argument("--index", type=int, help="send only the session with this index")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
