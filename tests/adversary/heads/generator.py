"""Generator: the head of a request with unusual, invalid or hostile parts, from a seed alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"TRACE", b"PATCH"]
ODD_METHODS = [b"", b"get", b"P!ST", b"G" * 21, b"PRI", b"GE\x00T", b"\xff\xff\xff", b"G ET"]
PATHS = [b"/ping", b"/invocations", b"/execution-parameters", b"/", b"/unknown"]
ODD_TARGETS = [
    *(b"", b"*", b"x:80", b"[::1", b"ping", b"?", b"#", b"/#", b"//", b"/..", b"/%", b"/%zz"),
    *(b"/%00", b"/%ff", b"/\xff", b"/\x00", b"/a b", b"/ping;a", b"/ping?a=%00", b"/ping?[::1"),
    *(b"http://[::1/ping", b"http://[x]/ping", b"http://x:abc/ping", b"http://x:99999/ping"),
    *(b"http://", b"http:///ping", b"://", b"http://x", b"http://%5B/ping", b"HTTP://x/ping"),
    *(b"http://a@b:c@d/ping", b"http://[fe80::1%25e]/ping", b"ftp://x/ping", b"http:ping"),
    *(b"/" + b"a" * 4080, b"/" + b"a" * 9000, b"http://" + b"[" * 3000, b"/" + b"%41" * 1000),
]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0"]
ODD_VERSIONS = [b"", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/1.1 x", b"HTTP/11"]
NAMES = [
    *(b"Content-Type", b"Accept", b"Content-Encoding", b"Host", b"Connection", b"Expect", b"TE"),
    *(b"X-Request-Id", b"X-Amzn-SageMaker-Custom-Attributes", b"Upgrade", b"Via", b"Cookie"),
    *(b"X-Forwarded-For", b"X-Forwarded-Proto", b"Script-Name", b"SCRIPT_NAME", b"Content_Type"),
    *(b"", b" ", b"X A", b"X:", b"X-\xff", b"X\x00", b"(X)", b"X" * 300, b"Trailer", b"Range"),
]
FRAMING_NAMES = [b"Content-Length", b"Transfer-Encoding", b"content-length", b"transfer-encoding"]
VALUES = [
    *(b"", b"*", b"*/*", b"text/csv", b"application/json", b"text/csv;q=0", b"a", b"close"),
    *(b"gzip", b"identity", b"keep-alive", b"100-continue", b"200-ok", b"h2c", b"websocket"),
    *(b'text/csv;header="', b'text/csv;a="\\', b"text/csv;;;=", b"text/csv;charset=x", b"\xff"),
    *(b"a\x00b", b"a\rb", b"a\nb", b"a\x7fb", b"a\tb", b"\x0ba", b"a\r\n b", b"localhost:80"),
    *(b"a b", b"[::1", b"%0d%0a", b"x" * 1024, b"x" * 1025, b"," * 2000, b";" * 2000),
    *(b'"' * 2000, b'"\\' * 1000, b"a;b=" * 500, b"a/b;q=0.1," * 100, b" " * 2000, b"x" * 8180),
    *(b"x" * 9000, b"text/csv;" + b" " * 4000 + b"x", b"=" * 2000),
]
FRAMING_VALUES = [
    *(b"0", b"1", b"39", b"-1", b"+1", b"1_0", b"0x1", b"1,1", b" 1", b"1 1", b"\xb2", b""),
    *(b"9" * 30, b"9" * 5000, b"chunked", b"gzip, chunked", b"gzip", b"chunked, gzip", b"x"),
    *(
        b"chunked, chunked",
        b"identity",
        b"identity, chunked",
        b"Chunked",
        b"chunked;a=b",
        b",chunked",
    ),
]
BODY = b"0.56,Ideal,E,VS1,62.7,56.0,5.26,5.3,3.31"
BODIES = [b"", b"", BODY, b"0\r\n\r\n", b"1\r\n1\r\n0\r\n\r\n", b"zz\r\n", b"1\r\n", b"\x00" * 100]
LINE_ENDS = [b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\r\n ", b"\r\n\t", b"\x00\r\n", b""]


@dataclass(slots=True)
class Head:
    """The parts of a request, each of which a mutation may replace."""

    method: bytes = b"POST"
    target: bytes = b"/ping"
    version: bytes = b"HTTP/1.1"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    line_ends: dict[int, bytes] = field(default_factory=dict)
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the bytes of the request."""
        lines = [b" ".join([self.method, self.target, self.version])]
        lines += [b": ".join(header) for header in self.headers]
        lines.append(b"")
        ended = [line + self.line_ends.get(index, b"\r\n") for index, line in enumerate(lines)]
        return b"".join(ended) + self.body


def generate(seed: int, index: int) -> bytes:
    """Return the request of a seed and an index."""
    random = Random(f"{seed} {index}")
    head = Head(random.choice(METHODS), random.choice(PATHS), random.choice(VERSIONS))
    head.headers.append((b"Host", b"test"))
    if random.random() < 0.5:
        head.body = BODY
        head.headers.append((b"Content-Length", b"%d" % len(BODY)))
    return mutate(random, head)


def mutate(random: Random, head: Head) -> bytes:
    """Return the bytes of a request after up to three mutations."""
    for mutation in random.choices(MUTATIONS, k=random.randint(1, 3)):
        mutation(random, head)
    request = head.encode()
    return _damage(random, request) if random.random() < 0.2 else request


def _replace_method(random: Random, head: Head) -> None:
    head.method = random.choice(ODD_METHODS)


def _replace_target(random: Random, head: Head) -> None:
    head.target = random.choice(ODD_TARGETS)


def _replace_version(random: Random, head: Head) -> None:
    head.version = random.choice(ODD_VERSIONS)


def _add_header(random: Random, head: Head) -> None:
    header = (random.choice(NAMES), random.choice(VALUES))
    head.headers.insert(random.randint(0, len(head.headers)), header)


def _repeat_header(random: Random, head: Head) -> None:
    header = (random.choice(NAMES), random.choice(VALUES))
    head.headers += [header] * random.choice([2, 10, 97, 101])


def _add_framing(random: Random, head: Head) -> None:
    head.headers.append((random.choice(FRAMING_NAMES), random.choice(FRAMING_VALUES)))
    head.body = random.choice(BODIES)


def _remove_header(random: Random, head: Head) -> None:
    if head.headers:
        del head.headers[random.randrange(len(head.headers))]


def _replace_line_end(random: Random, head: Head) -> None:
    head.line_ends[random.randint(0, len(head.headers) + 1)] = random.choice(LINE_ENDS)


MUTATIONS: list[Callable[[Random, Head], None]] = [
    _replace_method,
    _replace_target,
    _replace_target,
    _replace_version,
    _add_header,
    _add_header,
    _add_header,
    _repeat_header,
    _add_framing,
    _add_framing,
    _remove_header,
    _replace_line_end,
]


def _damage(random: Random, request: bytes) -> bytes:
    """Return the request with a few bytes replaced, inserted or removed."""
    damaged = bytearray(request)
    for _ in range(random.randint(1, 3)):
        start = random.randint(0, len(damaged))
        inserted = random.randbytes(random.randint(0, 3))
        damaged[start : start + random.randint(0, 3)] = inserted
    return bytes(damaged)
