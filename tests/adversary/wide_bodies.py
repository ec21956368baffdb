"""Send bodies that are wide, or that grow when they are read, of 1 to 64 MiB to both front ends.

Exit code 1 means that one got status 500 or no response, or that the server ended.
"""

import random
import sys
import time
from collections import Counter
from contextlib import ExitStack

import requests

from bench.wide_bodies import HARD_BODIES, PLAIN_BODIES
from tests.adversary.numbered import numbered_artifact
from tests.adversary.options import build_parser
from tests.support.server import running

FRONT_ENDS = ("asgi", "flask")
MIB = 1 << 20
SIZES = (1, 4, 16, 64)
ALLOWED_FAILURES = (503,)


def main() -> int:
    """Send bodies until the time is up; return 1 if there are findings."""
    options = build_parser("wide_bodies", __doc__).parse_args()
    choose = random.Random(options.seed)
    statuses: Counter[int] = Counter()
    findings = []
    with ExitStack() as stack:
        model = stack.enter_context(numbered_artifact())
        servers = {}
        for front_end in FRONT_ENDS:
            env = {"SERVE_FRONTEND": front_end, "SAGEMAKER_CONTAINER_LOG_LEVEL": "ERROR"}
            servers[front_end] = stack.enter_context(running(model.folder, **env))
        deadline = time.monotonic() + options.seconds
        while not statuses or time.monotonic() < deadline:
            body = choose.choice([*HARD_BODIES, *PLAIN_BODIES])
            size, front_end = choose.choice(SIZES), choose.choice(FRONT_ENDS)
            try:
                payload = body.build(size * MIB)
                response = servers[front_end].post(payload, body.content_type, **body.headers)
            except requests.RequestException as error:
                findings.append(f"{front_end}, {body.name}, {size} MiB: {error}"[:200])
                continue
            status = response.status_code
            statuses[status] += 1
            if status >= 500 and status not in ALLOWED_FAILURES:
                findings.append(f"{front_end}, {body.name}, {size} MiB: status {status}")
    table = ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))
    print(f"wide bodies: {statuses.total():,} responses ({table}), {len(findings)} findings")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
