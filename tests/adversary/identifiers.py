"""Send requests whose predictions identify them, many at a time, and find mixed or lost responses.

Each client pipelines requests on one connection, and closes some connections early. Exit code 1
means that a response was not that of its request, or did not come.
"""

import random
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack

import numpy as np

from tests.adversary.heads.exchange import BadResponse, split_responses
from tests.adversary.numbered import COUNT, Numbered, numbered_artifact
from tests.adversary.options import build_parser
from tests.support.server import Server, running

CLIENTS, MAX_PIPELINED, MAX_ROWS = 6, 8, 40
TIMEOUT_SECONDS = 30.0
ABORTED_SHARE = 0.1
FRONT_ENDS = ("asgi", "flask")
MAX_FINDINGS, MAX_FINDING_CHARACTERS = 20, 300


class Client(threading.Thread):
    """Sends sessions of pipelined requests until a time."""

    def __init__(self, server: Server, model: Numbered, seed: str, deadline: float) -> None:
        super().__init__()
        self._predictions = model.predictions
        self._server = server
        self._random = random.Random(seed)
        self._deadline = deadline
        self.seed = seed
        self.statuses: Counter[int] = Counter()
        self.findings: list[str] = []

    def run(self) -> None:
        """Send sessions."""
        while time.monotonic() < self._deadline and len(self.findings) < MAX_FINDINGS:
            try:
                self._run_session()
            except (OSError, BadResponse, ValueError) as error:
                self.findings.append(f"{self.seed}: {type(error).__name__}: {error}")

    def _run_session(self) -> None:
        """Send several requests at once, and compare each response with the request's rows."""
        choose = self._random
        requests = [
            [choose.randrange(COUNT) for _ in range(choose.randint(1, MAX_ROWS))]
            for _ in range(choose.randint(1, MAX_PIPELINED))
        ]
        sent = b"".join(
            _build(rows, is_last=index == len(requests) - 1) for index, rows in enumerate(requests)
        )
        with socket.create_connection(self._server.address, TIMEOUT_SECONDS) as connection:
            if choose.random() < ABORTED_SHARE:
                connection.sendall(sent[: choose.randrange(len(sent))])
                return
            connection.sendall(sent)
            received = b""
            while data := connection.recv(1 << 16):
                received += data
        responses = split_responses(received, is_head=False)
        self.statuses.update(response.status for response in responses)
        got = [list(map(float, response.body.split())) for response in responses]
        wanted = [self._predictions[rows].tolist() for rows in requests]
        if [np.array(scores, np.float32).tolist() for scores in got] != wanted:
            counts = f"{len(wanted)} requests, {len(got)} responses"
            self.findings.append(f"{self.seed}: {counts}: {received!r}"[:MAX_FINDING_CHARACTERS])


def _build(rows: list[int], *, is_last: bool) -> bytes:
    body = "".join(f"{row}\n" for row in rows).encode()
    head = (
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nAccept: text/csv\r\n"
    )
    end = b"Connection: close\r\n" if is_last else b""
    return b"%s%sContent-Length: %d\r\n\r\n%s" % (head, end, len(body), body)


def main() -> int:
    """Run all clients until the time is up; return 1 if there are findings."""
    options = build_parser("identifiers", __doc__).parse_args()
    statuses: Counter[int] = Counter()
    findings: list[str] = []
    with ExitStack() as stack:
        model = stack.enter_context(numbered_artifact())
        clients = []
        for front_end in FRONT_ENDS:
            env = {"SERVE_FRONTEND": front_end, "SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}
            server = stack.enter_context(
                running(model.folder, SAGEMAKER_MODEL_SERVER_WORKERS="2", **env)
            )
            deadline = time.monotonic() + options.seconds
            seeds = [f"{options.seed} {front_end} {number}" for number in range(CLIENTS)]
            clients += [Client(server, model, seed, deadline) for seed in seeds]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
            statuses += client.statuses
            findings += client.findings
    table = ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))
    print(f"identifiers: {statuses.total():,} responses ({table}), {len(findings)} findings")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
