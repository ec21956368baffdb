"""Send mutated heads of requests to both front ends, and judge the responses.

A request is reproduced by its seed and index alone. Exit code 1 means that there are findings.
"""

import argparse
import sys
import time
from collections import Counter
from contextlib import ExitStack
from itertools import count

import requests

from tests.adversary.heads.exchange import BadResponse, Response, exchange
from tests.adversary.heads.generator import generate
from tests.adversary.heads.judge import judge
from tests.adversary.options import build_parser
from tests.support.diamonds import ARTIFACT
from tests.support.server import Server, running

FRONT_ENDS = ("asgi", "flask")
MAX_FINDINGS = 20
PING_INTERVAL = 500
PING_SECONDS = 2.0  # contract 2.3


def main() -> int:
    """Send the requests that the command line asks for; return 1 if there are findings."""
    options = _parse_options()
    statuses: Counter[int] = Counter()
    findings: list[str] = []
    indices = count() if options.index is None else iter([options.index])
    with ExitStack() as stack:
        servers = {
            front_end: stack.enter_context(
                running(ARTIFACT, SERVE_FRONTEND=front_end, SAGEMAKER_CONTAINER_LOG_LEVEL="ERROR")
            )
            for front_end in FRONT_ENDS
        }
        deadline = time.monotonic() + options.seconds
        for index in indices:
            if time.monotonic() > deadline or len(findings) == MAX_FINDINGS:
                break
            problem = _attack(servers, options.seed, index, statuses)
            if problem:
                findings.append(f"index {index}: {problem}")
        problems = [_check_alive(server) for server in servers.values()]
    findings += filter(None, problems)
    _report(statuses, findings, options.seed)
    return 1 if findings else 0


def _attack(
    servers: dict[str, Server], seed: int, index: int, statuses: Counter[int]
) -> str | None:
    """Send a request to each server; return what is wrong, or None."""
    request = generate(seed, index)
    responses: dict[str, list[Response]] = {}
    for front_end, server in servers.items():
        try:
            responses[front_end] = exchange(server.address, request)
        except (BadResponse, OSError) as error:
            return f"{front_end}: {type(error).__name__}: {error}"
        statuses.update(response.status for response in responses[front_end])
    if index % PING_INTERVAL == 0:
        for server in servers.values():
            if problem := _check_alive(server):
                return problem
    return judge(request, responses)


def _check_alive(server: Server) -> str | None:
    """Return what is wrong if the server has stopped, or does not answer a ping in time."""
    assert server.process
    if server.process.returncode is not None:
        return f"the server exited with {server.process.returncode}"
    try:
        requests.get(f"{server.url}/ping", timeout=PING_SECONDS).raise_for_status()
    except requests.RequestException as error:
        return f"/ping failed: {error}"
    return None


def _report(statuses: Counter[int], findings: list[str], seed: int) -> None:
    table = ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))
    print(f"heads: {statuses.total():,} responses ({table}), {len(findings)} findings")
    for finding in findings:
        print(f"  {finding}")
    if findings:
        print(f"reproduce: python -m tests.adversary.heads --seed {seed} --index INDEX")


def _parse_options() -> argparse.Namespace:
    parser = build_parser("heads", __doc__)
    parser.add_argument("--index", type=int, help="send only the request with this index")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
