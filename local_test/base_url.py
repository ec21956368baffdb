"""Parses the URL of a server as people write it, with or without /invocations."""

from urllib.parse import urlsplit

from serve.text import quoted


class InvalidUrl(ValueError):
    """The text is not the URL of a server."""


def parse_base_url(text: str) -> str:
    """Return the URL below which /ping and /invocations are; raises InvalidUrl.

    A trailing slash or /invocations is removed.
    """
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port, or an unbalanced bracket
        is_url = False
    if not is_url:
        raise InvalidUrl(f"expected a URL such as http://127.0.0.1:8080, got {quoted(text)}")
    return text.rstrip("/").removesuffix("/invocations").rstrip("/")
