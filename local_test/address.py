"""The address of an endpoint, as people write it."""

from urllib.parse import urlsplit


class BadAddress(ValueError):
    """What was given is no URL of a server."""


def base_of(text: str) -> str:
    """Return the URL under which /ping and /invocations are, whether or not the latter was named; raises BadAddress."""
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, or an open bracket
        is_url = False
    if not is_url:
        raise BadAddress(f"expected a URL such as http://127.0.0.1:8080, got {text!r}")
    return text.rstrip("/").removesuffix("/invocations").rstrip("/")
