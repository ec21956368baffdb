"""The head of a request: the checks of HTTP that gunicorn's parsers leave to applications.

Source: RFC 9112, sections 2.3, 3.2 and 6.1; RFC 9110, section 10.1.1.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from serve.text import quoted

CHECKED_HEADERS = HOST, TRANSFER_ENCODING, EXPECT = "host", "transfer-encoding", "expect"
VERSIONS = ((1, 0), (1, 1))
# An IP literal or a name, which may be empty, and an optional port.
VALID_HOST = re.compile(r"(?:\[[\w.:%~-]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?", re.ASCII)
CHUNKED = "chunked"
# gunicorn removes identity, and rejects a body that is compressed but not chunked.
CODINGS = {CHUNKED, "identity"}
COMPRESSIONS = {"gzip", "deflate", "compress"}


class InvalidHead(Exception):
    """A head that is not valid, or that requires what this server does not support."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


def check_head(version: tuple[int, int], target: str, headers: Iterable[tuple[str, str]]) -> None:
    """Raise InvalidHead for a head that this server cannot respond to.

    ``headers`` are at least those in CHECKED_HEADERS, whose names are in lower case.
    """
    if version not in VERSIONS:
        raise InvalidHead(f"expected HTTP/1.0 or HTTP/1.1, got HTTP/{version[0]}.{version[1]}")
    host = None
    codings: list[str] = []
    for name, value in headers:
        if name == HOST:
            host = value
        elif name == TRANSFER_ENCODING:
            codings += [coding.strip(" \t").lower() for coding in value.split(",")]
        elif name == EXPECT:
            _check_expectation(value)
    if codings:
        _check_codings(codings)
    if not target.startswith("/") or "#" in target:
        _check_target(target)
    # Only HTTP/1.1 requires Host: health checks of some load balancers use HTTP/1.0 without it.
    if host is None and version == (1, 1):
        raise InvalidHead("the header Host is missing")
    if host is not None and not VALID_HOST.fullmatch(host):
        raise InvalidHead(f"invalid Host: {quoted(host)}")


def _check_expectation(value: str) -> None:
    if value.lower() != "100-continue":
        message = f"unsupported Expect: expected 100-continue, got {quoted(value)}"
        raise InvalidHead(message, HTTPStatus.EXPECTATION_FAILED)


def _check_codings(codings: list[str]) -> None:
    unsupported = [coding for coding in codings if coding not in CODINGS]
    if unsupported and codings[-1] not in COMPRESSIONS:
        message = f"unsupported Transfer-Encoding: expected chunked, got {quoted(unsupported[0])}"
        raise InvalidHead(message, HTTPStatus.NOT_IMPLEMENTED)


def _check_target(target: str) -> None:
    """Raise InvalidHead for a fragment, and for an invalid absolute URL."""
    if "#" in target:
        raise InvalidHead("the request target must not have a fragment (#)")
    if "://" not in target:  # such as * and a tunnel's host:port
        return
    try:
        url = urlsplit(target)
        is_valid = url.scheme in ("http", "https") and url.hostname and (url.port or 1) > 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InvalidHead(f"invalid URL as the request target: {quoted(target)}")
