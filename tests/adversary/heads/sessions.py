"""Sessions: what a client sends on one connection, from a seed alone.

Valid and invalid requests follow each other, together or apart, and cut at any byte.
"""

from random import Random

from tests.adversary.heads.generator import BODY, Head, mutate

MAX_REQUESTS = 4
# Each byte on its own takes long, so only short sessions are sent like that.
MAX_SINGLE_BYTES = 400
CONTENT_TYPES = [b"text/csv", b"application/json", b"text/libsvm", b"text/csv; header=absent", b"x"]
BODIES = [
    *(BODY, BODY, BODY + b"\n", b"\n".join([BODY] * 20), b"\n".join([BODY] * 2000), b"\n", b"x"),
    *(BODY.replace(b"Ideal", b"Best"), BODY[:-5], BODY.replace(b"0.56", b""), b"\xff" * 30),
    *(b'{"instances": [[0.56, "Ideal", "E", "VS1", 62.7, 56.0, 5.26, 5.3, 3.31]]}', b"{", b"[]"),
]
# Headers that change nothing, and those that the response depends on.
HEADERS = [
    *((b"Accept", b"application/json"), (b"accept", b"*/*"), (b"Accept", b"image/png")),
    *((b"Accept", b"text/csv; explain=top"), (b"Accept", b"text/csv; stream=true")),
    *((b"X-Request-Id", b"my-id"), (b"x-request-id", b"not valid"), (b"X-Request-Id", b"")),
    *((b"X-Amzn-SageMaker-Custom-Attributes", b"a=1"), (b"Content-Encoding", b"gzip")),
    *((b"Connection", b"keep-alive"), (b"Connection", b"Keep-Alive"), (b"Connection", b"close")),
    *((b"X-Forwarded-Proto", b"https"), (b"X-Forwarded-Ssl", b"on"), (b"User-Agent", b"test")),
    *((b"X-Amzn-Trace-Id", b"Root=1"), (b"X-Empty", b""), (b"X-Tab", b"a\tb"), (b"Via", b"\xe9")),
    *((b"TE", b"trailers"), (b"Expect", b"100-continue"), (b"Upgrade", b"h2c"), (b"Trailer", b"X")),
    *((b"X-Long", b"x" * 1000), (b"X-Long", b"x" * 5000), (b"X_Name", b"x"), (b"Host", b"other")),
]


def generate_session(seed: int, index: int) -> list[bytes]:
    """Return the segments of a connection, each of which is sent on its own."""
    random = Random(f"session {seed} {index}")
    requests = [_build_request(random) for _ in range(random.randint(1, MAX_REQUESTS))]
    cut = random.choice([_cut_nowhere, _cut_between, _cut_between, _cut_anywhere, _cut_everywhere])
    return [segment for segment in cut(random, requests) if segment]


def _build_request(random: Random) -> bytes:
    head = _build_ping(random) if random.random() < 0.2 else _build_invocation(random)
    for header in random.choices(HEADERS, k=random.choice([0, 0, 1, 1, 2, 3])):
        head.headers.insert(random.randint(0, len(head.headers)), header)
    return mutate(random, head) if random.random() < 0.4 else head.encode()


def _build_ping(random: Random) -> Head:
    head = Head(b"GET", b"/ping", headers=[(b"Host", b"test")])
    if random.random() < 0.2:
        head.headers.append((b"Content-Length", b"0"))
    return head


def _build_invocation(random: Random) -> Head:
    body = random.choice(BODIES)
    headers = [(b"Host", b"127.0.0.1:8080"), (b"Content-Type", random.choice(CONTENT_TYPES))]
    headers.append((random.choice([b"Content-Length", b"content-length"]), b"%d" % len(body)))
    random.shuffle(headers)
    return Head(b"POST", b"/invocations", headers=headers, body=body)


def _cut_nowhere(_random: Random, requests: list[bytes]) -> list[bytes]:
    return [b"".join(requests)]


def _cut_between(_random: Random, requests: list[bytes]) -> list[bytes]:
    return requests


def _cut_anywhere(random: Random, requests: list[bytes]) -> list[bytes]:
    sent = b"".join(requests)
    cuts = sorted(random.randint(0, len(sent)) for _ in range(random.randint(1, 5)))
    return [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]


def _cut_everywhere(random: Random, requests: list[bytes]) -> list[bytes]:
    sent = b"".join(requests)
    if len(sent) > MAX_SINGLE_BYTES:
        return _cut_anywhere(random, requests)
    return [sent[start : start + 1] for start in range(len(sent))]
